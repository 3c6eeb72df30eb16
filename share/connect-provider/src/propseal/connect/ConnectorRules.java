package propseal.connect;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What may stand in a connector's configuration: a reference to the registry has
 * the connector's name as its path, byte for byte.
 */
final class ConnectorRules {
    /** As Kafka's ConfigTransformer finds references. */
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*?):(([^}]*?):)?([^}]*?)\\}");
    private static final Pattern KEY = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,254}");
    private static final int LISTED = 50;

    private final Set<String> providers;

    /** The names of the providers, in config.providers, that ask the registry. */
    ConnectorRules(Set<String> providers) {
        this.providers = providers;
    }

    /** What is wrong with the references, naming each and no value; null: nothing is. */
    String wrong(String connector, Map<String, Object> config) {
        List<String> found = new ArrayList<>();
        Object inner = config.get("name");
        boolean any = false;
        for (Map.Entry<String, Object> e : config.entrySet())
            any |= look(connector, e.getKey(), e.getValue(), found);
        if (any && connector == null)
            return "a configuration with references to secrets has to have a name";
        if (any && inner != null && !connector.equals(inner))
            return "\"name\" in the configuration is not the connector's name, and it has references to secrets";
        if (found.isEmpty())
            return null;
        int more = found.size() - LISTED;
        return "The connector's references to secrets are wrong: "
            + String.join("; ", found.subList(0, Math.min(found.size(), LISTED)))
            + (more > 0 ? "; and " + more + " more" : "");
    }

    /** Note what is wrong within a value; is there any reference? */
    private boolean look(String connector, String place, Object value, List<String> found) {
        boolean any = false;
        if (value instanceof String) {
            Matcher m = REFERENCE.matcher((String) value);
            while (m.find()) {
                if (!providers.contains(m.group(1)))
                    continue;
                any = true;
                String why = judge(connector, m.group(3), m.group(4));
                if (why != null)
                    found.add(visible(place, 200) + ": " + visible(m.group(), 320) + ": " + why);
            }
        } else if (value instanceof List) {
            for (Object v : (List<?>) value)
                any |= look(connector, place, v, found);
        } else if (value instanceof Map) {
            for (Map.Entry<?, ?> e : ((Map<?, ?>) value).entrySet())
                any |= look(connector, place + "." + e.getKey(), e.getValue(), found);
        }
        return any;
    }

    private static String judge(String connector, String path, String key) {
        if (path == null || path.isEmpty())
            return "it names no path (${provider:path:key})";
        if (!path.equals(connector))
            return "its path is not the connector's name";
        if (!KEY.matcher(key).matches())
            return "its key is not valid";
        return null;
    }

    private static String visible(String text, int max) {
        String shown = text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
        return shown.length() > max ? shown.substring(0, max) + "..." : shown;
    }
}
