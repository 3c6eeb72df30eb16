package propseal.connect;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.rest.ConnectRestExtension;
import org.apache.kafka.connect.rest.ConnectRestExtensionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * For a Connect worker (rest.extension.classes): refuses a connector whose
 * references leave its own path, hands /secret/... on to the registry with the
 * caller's login, and with rbac=true asks the registry what the caller may do.
 * Its settings are those of the SecretRegistryConfigProvider.
 */
public class SecretRegistryRestExtension implements ConnectRestExtension {
    private static final Logger LOG = LoggerFactory.getLogger(SecretRegistryRestExtension.class);
    private static final String PROVIDERS = "config.providers.", CLASS = ".class";
    /** What Connect knows the provider by: its name, and the aliases that it makes. */
    private static final Set<String> OURS = Set.of(SecretRegistryConfigProvider.class.getName(),
        SecretRegistryConfigProvider.class.getSimpleName(), "SecretRegistry");
    private static final int BODY_MAX = 8 << 20;
    private static final Set<String> SENT = Set.of("accept", "authorization", "content-type",
        "idempotency-key", "if-match", "if-none-match", "x-request-id", "x-secret-offset");
    private static final Set<String> NOT_RETURNED = Set.of("connection", "content-length", "keep-alive",
        "transfer-encoding", "date", "server");

    private ConnectorRules rules;
    private RegistryClient client;
    private boolean rbac;
    private boolean forward;
    private Rest rest;

    @Override
    public void configure(Map<String, ?> worker) {
        // By their classes, as Connect has taken the list config.providers out of what it hands on.
        Set<String> names = new TreeSet<>();
        worker.forEach((key, value) -> {
            if (key.startsWith(PROVIDERS) && key.endsWith(CLASS)
                && OURS.contains(String.valueOf(value).trim()))
                names.add(key.substring(PROVIDERS.length(), key.length() - CLASS.length()));
        });
        if (names.isEmpty())
            throw new ConfigException("no provider in config.providers is a "
                + SecretRegistryConfigProvider.class.getName() + ", which this extension belongs to");
        String first = PROVIDERS + names.iterator().next() + ".param.";
        Map<String, Object> params = new LinkedHashMap<>();
        worker.forEach((key, value) -> {
            if (key.startsWith(first))
                params.put(key.substring(first.length()), value);
        });
        Settings s = new Settings(params);
        rules = new ConnectorRules(names);
        client = new RegistryClient(s);
        rbac = s.flag("rbac", false);
        forward = s.flag("forward", true);
    }

    @Override
    public void register(ConnectRestExtensionContext context) {
        Object configurable;
        try {    // what it returns is of another package in each Connect
            Method m = ConnectRestExtensionContext.class.getMethod("configurable");
            configurable = m.invoke(context);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
        rest = new Rest(configurable);
        rest.beforeRequests(configurable, this::look);
        if (forward)
            rest.resource(configurable, "secret");
        if (rbac)
            rest.afterRequests(configurable, this::onlyVisible);
        LOG.info("connectors may refer to secrets of their own path only; /secret is {}, rbac is {}",
            forward ? "handed on to " + client.base : "not there", rbac);
    }

    // --- the path rule ---

    private void look(Rest.Request r) {
        List<String> path = r.segments();
        String first = path.isEmpty() ? "" : path.get(0);
        if (first.equals("secret")) {    // without forward there is no such resource
            r.answer(forward(r));
            return;
        }
        boolean changes = Set.of("POST", "PUT", "PATCH").contains(r.method());
        if (!changes || internal(r, path) || !first.equals("connectors") && !first.equals("connector-plugins")) {
            if (rbac)
                mayCall(r, path, null);
            return;
        }
        Map<String, Object> body = body(r);
        if (body == null)
            return;
        Object config = path.size() == 1 ? body.get("config") : body;
        Object name = first.equals("connectors") && path.size() > 1 ? path.get(1) : body.get("name");
        // Connect trims the name of a new connector.
        String connector = name instanceof String ? ((String) name).trim() : null;
        if (rbac && !mayCall(r, path, connector))
            return;
        @SuppressWarnings("unchecked")
        String wrong = config instanceof Map ? rules.wrong(connector, (Map<String, Object>) config) : null;
        if (wrong != null)
            r.refuse(400, wrong, null);
    }

    /** What workers say to each other, which Connect signs. */
    private static boolean internal(Rest.Request r, List<String> path) {
        return path.size() == 3 && path.get(0).equals("connectors")
            && (path.get(2).equals("tasks") && r.method().equals("POST")
                || path.get(2).equals("fence") && r.method().equals("PUT"));
    }

    /** The body as an object, empty where there is none; null: refused. */
    private static Map<String, Object> body(Rest.Request r) {
        byte[] bytes = r.body(BODY_MAX);
        if (bytes == null) {
            r.refuse(413, "The request is larger than " + BODY_MAX + " bytes", null);
            return null;
        }
        if (bytes.length == 0)
            return Map.of();
        try {    // Connect's reader guesses the encoding; one that is not looked at is not let through
            return Json.object(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            r.refuse(400, "The request is not in UTF-8", null);
        } catch (Json.Bad e) {
            r.refuse(400, "The request is not a JSON object: " + e.getMessage(), null);
        }
        return null;
    }

    // --- the caller's rights ---

    /** false: refused. */
    private boolean mayCall(Rest.Request r, List<String> path, String connector) {
        String first = path.isEmpty() ? "" : path.get(0);
        boolean reads = Set.of("GET", "HEAD", "OPTIONS").contains(r.method());
        if (internal(r, path) || reads && (path.isEmpty() || first.equals("connector-plugins")
            || first.equals("health")))
            return true;
        String name = connector;
        if (name == null && first.equals("connectors") && path.size() > 1)
            name = path.get(1);
        boolean ofConnector = first.equals("connectors") || first.equals("connector-plugins");
        if (ofConnector && !(path.size() == 1 && reads) && (name == null || name.isEmpty())) {
            r.refuse(400, "The request names no connector", null);
            return false;
        }
        Rights rights = rights(r, name == null ? "-" : name);
        if (rights.status != 200) {
            r.refuse(rights.status, rights.message, rights.headers);
            return false;
        }
        boolean fine;
        if (!ofConnector)    // loggers, and what a later Connect may have
            fine = rights.cluster.contains("AlterAccess") && rights.cluster.contains("RotateKey");
        else if (name == null)
            fine = true;    // the list, of which the caller is shown its own
        else
            fine = rights.mayRead() && (reads || rights.mayChange());
        if (!fine)
            r.refuse(403, "User is denied operation " + (reads ? "Read" : "Configure") + " on "
                + (name == null ? "Cluster" : "Connector: " + name), null);
        return fine;
    }

    private Object onlyVisible(Rest.Request r, Object entity) {
        List<String> path = r.segments();
        if (path.size() != 1 || !path.get(0).equals("connectors") || !r.method().equals("GET"))
            return entity;
        if (entity instanceof Map) {
            Map<Object, Object> shown = new LinkedHashMap<>();
            ((Map<?, ?>) entity).forEach((name, info) -> {
                if (rights(r, name.toString()).mayRead())
                    shown.put(name, info);
            });
            return shown;
        }
        List<Object> shown = new ArrayList<>();
        if (entity instanceof Collection) {
            for (Object name : (Collection<?>) entity) {
                if (rights(r, name.toString()).mayRead())
                    shown.add(name);
            }
        }
        return shown;
    }

    /** What the registry says that the caller may do. */
    private static final class Rights {
        int status = 503;
        String message = "The registry does not answer, so nothing is allowed";
        Map<String, List<String>> headers;
        Collection<?> path = List.of();
        Collection<?> cluster = List.of();

        boolean mayRead() {
            return path.contains("SecretList");
        }

        /** Who changes a connector decides where its secrets go. */
        boolean mayChange() {
            return path.contains("SecretRead") && path.contains("SecretWrite");
        }
    }

    private Rights rights(Rest.Request r, String connector) {
        Rights out = new Rights();
        try {
            HttpRequest.Builder ask = HttpRequest.newBuilder(URI.create(client.base + "/secret/connectors/"
                + RegistryClient.segment(connector) + "/access"));
            String login = r.header("Authorization");
            if (login != null)
                ask.header("Authorization", login);
            HttpResponse<byte[]> answer = client.forward(ask);
            Map<String, Object> body = Json.object(new String(answer.body(), StandardCharsets.UTF_8));
            if (answer.statusCode() == 200) {
                out.path = list(body.get("operations"));
                out.cluster = list(body.get("cluster"));
            } else {
                out.message = String.valueOf(body.get("message"));
                List<String> how = answer.headers().allValues("WWW-Authenticate");
                out.headers = how.isEmpty() ? null : Map.of("WWW-Authenticate", how);
            }
            out.status = answer.statusCode();
        } catch (IOException | Json.Bad e) {
            LOG.warn("the registry at {}: {}", client.base, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return out;
    }

    private static Collection<?> list(Object value) {
        return value instanceof Collection ? (Collection<?>) value : List.of();
    }

    // --- /secret ---

    private Object forward(Rest.Request r) {
        byte[] body = r.body(BODY_MAX);
        if (body == null)
            return rest.response(413, null, null, null);
        URI asked = r.uri();
        if (!asked.getRawPath().startsWith("/secret"))
            return rest.response(404, null, null, null);
        HttpRequest.Builder to = HttpRequest.newBuilder(URI.create(client.base + asked.getRawPath()
            + (asked.getRawQuery() == null ? "" : "?" + asked.getRawQuery())));
        for (String name : SENT) {
            String value = r.header(name);
            if (value != null)
                to.header(name, value);
        }
        to.method(r.method(), body.length == 0 ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofByteArray(body));
        try {
            HttpResponse<byte[]> answer = client.forward(to);
            Map<String, List<String>> headers = new LinkedHashMap<>();
            answer.headers().map().forEach((name, values) -> {
                if (!NOT_RETURNED.contains(name.toLowerCase(java.util.Locale.ROOT)))
                    headers.put(name, values);
            });
            return rest.response(answer.statusCode(), null, answer.body().length == 0 ? null : answer.body(),
                headers);
        } catch (IOException e) {
            LOG.warn("the registry at {}: {}", client.base, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return rest.response(503, "application/json",
            "{\"error_code\":503,\"message\":\"The registry does not answer\"}", null);
    }

    @Override
    public String version() {
        String v = getClass().getPackage().getImplementationVersion();
        return v == null ? "unknown" : v;
    }

    @Override
    public void close() {
    }
}
