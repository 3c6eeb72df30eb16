import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;

/**
 * Resolves properties files as Kafka does: reads names of files, and prints for
 * each a line of JSON, {"values":{...}} or {"error":"..."}.
 */
public class Ask {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine())
            out.println(resolved(line));
    }

    private static String resolved(String file) throws Exception {
        Map<String, Object> raw = new HashMap<>();
        try (Reader in = Files.newBufferedReader(Path.of(file), StandardCharsets.UTF_8)) {
            Properties p = new Properties();
            p.load(in);
            p.forEach((k, v) -> raw.put(k.toString(), v));
        }
        try {
            Map<String, Object> values = new AbstractConfig(new ConfigDef(), raw, false).originals();
            List<String> members = new ArrayList<>();
            values.forEach((k, v) -> members.add(quote(k) + ":" + quote(String.valueOf(v))));
            return "{\"values\":{" + String.join(",", members) + "}}";
        } catch (RuntimeException e) {
            String said = "";
            for (Throwable t = e; t != null; t = t.getCause())
                said += t + "\n";
            return "{\"error\":" + quote(said) + "}";
        }
    }

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray())
            out.append(c < 127 && c >= ' ' && c != '"' && c != '\\' ? String.valueOf(c)
                : String.format("\\u%04x", (int) c));
        return out.append('"').toString();
    }
}
