package propseal.connect;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigException;
import org.slf4j.Logger;

/** A provider's parameters: config.providers.NAME.param.*, without that prefix. */
final class Settings {
    private final Map<String, ?> values;

    Settings(Map<String, ?> values) {
        this.values = values;
    }

    /** The value, or null where there is none or an empty one. */
    String text(String key) {
        Object v = values.get(key);
        return v == null || v.toString().trim().isEmpty() ? null : v.toString().trim();
    }

    String text(String key, String otherwise) {
        String v = text(key);
        return v == null ? otherwise : v;
    }

    Path file(String key) {
        String v = text(key);
        return v == null ? null : Path.of(v);
    }

    boolean flag(String key, boolean otherwise) {
        String v = text(key);
        if (v == null)
            return otherwise;
        if (v.equals("true") || v.equals("false"))
            return v.equals("true");
        throw new ConfigException(key + " has to be true or false");
    }

    /** A number of milliseconds, 0 or more. */
    long milliseconds(String key, long otherwise) {
        String v = text(key);
        if (v == null)
            return otherwise;
        try {
            long n = Long.parseLong(v);
            if (n >= 0)
                return n;
        } catch (NumberFormatException e) {
            // Told below, without the text: somebody may have mixed up two lines.
        }
        throw new ConfigException(key + " has to be a number of milliseconds, 0 or more");
    }

    /** A misspelt parameter is an error, as silence would mean that it does nothing. */
    void onlyKnown(Logger log, String... known) {
        Set<String> names = Set.of(known);
        for (String key : values.keySet()) {
            if (names.contains(key))
                continue;
            String moved = moved(key);
            if (moved == null)
                throw new ConfigException("there is no parameter " + key + "; there are "
                    + String.join(", ", new TreeSet<>(names)));
            log.warn("{} is not used here: {}", key, moved);
        }
    }

    /** Where a parameter of Confluent's own provider goes; null: it has none such. */
    private static String moved(String key) {
        if (key.equals("master.encryption.key") || key.equals("master.encryption.old.key"))
            return "the master key belongs to the registry (propseal registry serve "
                + "--master-key-file); take it out of the worker's file";
        if (key.startsWith("kafkastore.") || key.equals("secret.registry.group.id"))
            return "it belongs to the registry's settings (propseal registry serve --config); "
                + "the worker needs only url and a login";
        return null;
    }
}
