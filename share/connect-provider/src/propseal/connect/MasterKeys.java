package propseal.connect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.config.ConfigException;

/**
 * The master keys that are there, as propseal looks for them: a file that is
 * named, or else the usual variable, variables that are named, and the systemd
 * credential.  The variable that a secrets file names is none of them: who can
 * write the file must not choose the key.
 */
final class MasterKeys implements AutoCloseable {
    static final String VARIABLE = "CONFLUENT_SECURITY_MASTER_KEY";
    static final String CREDENTIAL = "propseal.master-key";

    private final List<byte[]> keys = new ArrayList<>();

    /** file, variables: null for none. */
    MasterKeys(Path file, String variables, Function<String, String> environment) {
        if (file != null) {
            add(file);
            return;
        }
        add(VARIABLE, environment.apply(VARIABLE));
        for (String name : variables == null ? new String[0] : variables.trim().split("[,\\s]+"))
            add(name, environment.apply(name));
        String folder = environment.apply("CREDENTIALS_DIRECTORY");
        if (folder != null && !folder.isEmpty() && Files.exists(Path.of(folder, CREDENTIAL)))
            add(Path.of(folder, CREDENTIAL));
    }

    List<byte[]> all() {
        return keys;
    }

    private void add(Path file) {
        byte[] text;
        try {
            text = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new ConfigException("the master key in " + file + " cannot be read: " + e);
        }
        add(file.toString(), text);
        Arrays.fill(text, (byte) 0);
    }

    private void add(String from, String text) {
        if (text == null || text.isEmpty())
            return;
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(CharBuffer.wrap(text));
        add(from, Arrays.copyOf(bytes.array(), bytes.limit()));
    }

    private void add(String from, byte[] text) {
        int begin = 0, end = text.length;
        while (begin < end && text[begin] <= ' ' && text[begin] >= 0)
            begin++;
        while (end > begin && text[end - 1] <= ' ' && text[end - 1] >= 0)
            end--;
        byte[] trimmed = Arrays.copyOfRange(text, begin, end), key = null;
        try {
            key = Base64.getDecoder().decode(trimmed);
        } catch (IllegalArgumentException e) {
            // Told below.
        } finally {
            Arrays.fill(trimmed, (byte) 0);
        }
        if (key == null || key.length != 16 && key.length != 24 && key.length != 32)
            throw new ConfigException("the master key in " + from + " is not 16, 24 or 32 bytes in base64, "
                + "as `propseal master-key generate` printed it");
        keys.add(key);
    }

    @Override
    public void close() {
        for (byte[] key : keys)
            Arrays.fill(key, (byte) 0);
    }
}
