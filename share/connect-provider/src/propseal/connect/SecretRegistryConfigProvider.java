package propseal.connect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ${secret:PATH:KEY}: the newest version of a secret in a Secret Registry.  One
 * request a path, for which the role ConnectWorker is enough.
 */
public class SecretRegistryConfigProvider implements ConfigProvider {
    /** What is read here, and by the REST extension, beside the client's. */
    static final String[] PARAMETERS =
        Stream.concat(Arrays.stream(RegistryClient.PARAMETERS),
            Stream.of("ttl.ms", "provider", "rbac", "forward")).toArray(String[]::new);

    private static final Logger LOG = LoggerFactory.getLogger(SecretRegistryConfigProvider.class);

    private RegistryClient client;
    private String provider;
    private long ttl;

    @Override
    public void configure(Map<String, ?> configs) {
        Settings s = new Settings(configs);
        s.onlyKnown(LOG, PARAMETERS);
        client = new RegistryClient(s);
        provider = s.text("provider", "secret");
        ttl = s.milliseconds("ttl.ms", 0);
    }

    @Override
    public ConfigData get(String path) {
        throw new ConfigException("a reference to a secret names its key: ${secret:PATH:KEY}");
    }

    @Override
    public ConfigData get(String path, Set<String> keys) {
        if (path == null || path.isEmpty())
            throw new ConfigException("a reference to a secret names its path: ${secret:PATH:KEY}");
        List<String> asked = new ArrayList<>(keys);
        StringBuilder body = new StringBuilder("{\"name\":").append(Json.quote(path)).append(",\"config\":{");
        for (int i = 0; i < asked.size(); i++)
            body.append(i == 0 ? "" : ",").append("\"k").append(i).append("\":")
                .append(Json.quote(reference(path, asked.get(i))));
        String what = "the secrets of " + path + " " + asked;
        String answer = client.post("/secret/connectors/" + RegistryClient.segment(path) + "/resolve",
            body.append("}}").toString(), what);
        Map<String, String> found = take(answer, path, asked, what);
        return ttl == 0 ? new ConfigData(found) : new ConfigData(found, ttl);
    }

    private String reference(String path, String key) {
        return "${" + provider + ":" + path + ":" + key + "}";
    }

    private Map<String, String> take(String answer, String path, List<String> asked, String what) {
        Map<String, String> found = new HashMap<>();
        try {
            Object config = Json.object(answer).get("config");
            for (int i = 0; i < asked.size() && config instanceof Map; i++) {
                Object value = ((Map<?, ?>) config).get("k" + i);
                if (value instanceof String)
                    found.put(asked.get(i), (String) value);
            }
        } catch (Json.Bad e) {
            throw new ConfigException(what + ": the registry's answer: " + e.getMessage());
        }
        // Kafka would leave the reference as the text that it is.
        if (found.size() != asked.size())
            throw new ConfigException(what + ": the registry's answer does not hold all of them");
        for (Map.Entry<String, String> e : found.entrySet()) {
            if (e.getValue().equals(reference(path, e.getKey())))
                throw new ConfigException(what + ": the registry did not resolve them: is `provider` "
                    + "what its settings say?");
        }
        return found;
    }

    @Override
    public void close() {
    }
}
