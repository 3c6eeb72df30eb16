package propseal.connect;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** ${securepass:SECRETS_FILE:ENTRY}: a value that propseal or `confluent secret` sealed. */
public class SecurePassConfigProvider implements ConfigProvider {
    private static final Logger LOG = LoggerFactory.getLogger(SecurePassConfigProvider.class);

    private final Function<String, String> environment;
    private final Set<String> told = ConcurrentHashMap.newKeySet();
    private Path keyFile;
    private String variables;
    private boolean tagsRequired;
    private boolean legacyCbc;
    private long ttl;

    public SecurePassConfigProvider() {
        this(System::getenv);
    }

    SecurePassConfigProvider(Function<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public void configure(Map<String, ?> configs) {
        Settings s = new Settings(configs);
        s.onlyKnown(LOG, "master.key.file", "master.key.variable", "tags", "legacy.cbc", "ttl.ms");
        keyFile = s.file("master.key.file");
        variables = s.text("master.key.variable");
        String tags = s.text("tags", "optional");
        tagsRequired = tags.equals("required");
        if (!tagsRequired && !tags.equals("optional"))
            throw new ConfigException("tags has to be required or optional");
        legacyCbc = s.flag("legacy.cbc", false);
        ttl = s.milliseconds("ttl.ms", 0);
    }

    @Override
    public ConfigData get(String path) {
        throw new ConfigException("a reference to a sealed value names its entry: ${securepass:FILE:ENTRY}");
    }

    @Override
    public ConfigData get(String path, Set<String> keys) {
        if (path == null || path.isEmpty())
            throw new ConfigException("a reference to a sealed value names its file: ${securepass:FILE:ENTRY}");
        Map<String, String> found = new HashMap<>();
        try (MasterKeys masters = new MasterKeys(keyFile, variables, environment);
            SecretsFile file = new SecretsFile(Path.of(path), tagsRequired, legacyCbc)) {
            file.unlock(masters);
            for (String key : keys)
                found.put(key, file.open(key));
            for (String doubt : file.doubts()) {
                if (told.add(path + doubt))
                    LOG.warn("{}: {}", path, doubt);
            }
        }
        return ttl == 0 ? new ConfigData(found) : new ConfigData(found, ttl);
    }

    @Override
    public void close() {
    }
}
