package propseal.connect;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.common.config.ConfigException;

/**
 * A secrets file as `propseal-secrets(5)` describes it, and what opens of it.
 * Who can write the file but has no key must neither read nor forge a value:
 * entries fit their tags, and AES-CBC, which notices no change, opens only where
 * a tag does, or in a file that is all of it (then all or nothing).
 */
final class SecretsFile implements AutoCloseable {
    private static final String META = "_metadata.";
    private static final String WRAP = META + "symmetric_key.0.enc";
    private static final String TAG = "_propseal.tag/";
    private static final String GCM = "AES/GCM/NoPadding", CBC = "AES/CBC/PKCS5Padding";
    private static final Pattern SEALED =
        Pattern.compile("ENC\\[([^,]*),data:([^,]*),iv:([^,]*),type:str\\]");
    /** So many sums are spent at most on finding out whose value stands in an entry. */
    private static final int SUMS_MAX = 1_000_000;

    /** What does not open; its reason stays inside, as it would help who tries. */
    private static final class Shut extends Exception {
        private static final long serialVersionUID = 1;
    }

    private final Path path;
    private final boolean tagsRequired, legacyCbc;
    private final Properties lines = new Properties();
    private byte[] dataKey;
    private Mac tagger;
    private boolean legacy;    // the data key is wrapped in CBC
    private Boolean legacyOpens;
    private Map<String, String> misfits;    // an entry: whose value it holds, or "" for stale
    private boolean metTagged, metUntagged;

    SecretsFile(Path path, boolean tagsRequired, boolean legacyCbc) {
        this.path = path;
        this.tagsRequired = tagsRequired;
        this.legacyCbc = legacyCbc;
        try (Reader in = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
            lines.load(in);
        } catch (IOException e) {
            throw new ConfigException("secrets file " + path + " cannot be read: " + e);
        } catch (IllegalArgumentException e) {
            throw new ConfigException("secrets file " + path + " has a damaged \\u escape");
        }
    }

    /** With the first master key that opens the data key. */
    void unlock(MasterKeys masters) {
        String wrap = lines.getProperty(WRAP);
        if (wrap == null)
            throw new ConfigException("secrets file " + path + " has no data key (" + WRAP + ")");
        if (masters.all().isEmpty())
            throw new ConfigException("no master key for " + path + ": export " + MasterKeys.VARIABLE
                + ", give the provider master.key.file or master.key.variable, or the systemd credential "
                + MasterKeys.CREDENTIAL);
        for (byte[] master : masters.all()) {
            byte[] text = null, key;
            try {
                text = open(wrap, master);
                key = base64(new String(text, StandardCharsets.ISO_8859_1));
            } catch (Shut | IllegalArgumentException e) {
                continue;
            } finally {
                if (text != null)
                    Arrays.fill(text, (byte) 0);
            }
            if (key.length == 16 || key.length == 24 || key.length == 32) {
                dataKey = key;
                break;
            }
            Arrays.fill(key, (byte) 0);
        }
        if (dataKey == null)
            throw new ConfigException("no master key opens " + path
                + ": it is another one's, or the data key is damaged");
        legacy = isCbc(wrap);
        tagger = hmac(hmac(dataKey).doFinal("propseal entry tag v1".getBytes(StandardCharsets.UTF_8)));
    }

    String open(String name) {
        String sealed = lines.getProperty(name);
        if (sealed == null || notSealed(name))
            throw new ConfigException(path + " has no entry " + name);
        if (!sealed.startsWith("ENC["))
            throw new ConfigException(path + ": " + name + " is not sealed");
        mayOpen(name, sealed);
        byte[] plain = null;
        try {
            plain = open(sealed, dataKey);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(plain)).toString();
        } catch (CharacterCodingException e) {
            throw new ConfigException(path + ": " + name + " is not UTF-8, so Java cannot hold it");
        } catch (Shut e) {
            throw new ConfigException(path + ": " + name + " does not open: it is damaged, or sealed with "
                + "another data key");
        } finally {
            if (plain != null)
                Arrays.fill(plain, (byte) 0);
        }
    }

    /** What is to be told about the entries that were opened. */
    List<String> doubts() {
        List<String> out = new ArrayList<>();
        long stale = misfits == null ? 0 : misfits.values().stream().filter(String::isEmpty).count();
        if (stale > 0)
            out.add("another program changed " + stale + " value(s) since they were tagged");
        if (metUntagged && (metTagged || stale > 0))
            out.add("entries without a tag stand beside tagged ones");
        if (Boolean.TRUE.equals(legacyOpens))
            out.add("the file is in the old AES-CBC form, which notices no change: `propseal file rotate "
                + "--data-key` seals it anew");
        return out;
    }

    private void mayOpen(String name, String sealed) {
        byte[] has = tag(name);
        if (has != null && MessageDigest.isEqual(has, sum(name, sealed))) {
            metTagged = true;
            return;
        }
        if (has == null) {
            metUntagged = true;
        } else {
            if (misfits == null)
                misfits = survey();
            String owner = misfits.getOrDefault(name, "");
            if (!owner.isEmpty())
                throw new ConfigException(path + ": the value of " + name + " was sealed for another entry, "
                    + owner);
        }
        if (tagsRequired)
            throw new ConfigException(path + ": tags are required, and " + name + (has == null ? " has none"
                : " does not fit its tag: another program changed the value"));
        if (legacyCbc || !isCbc(sealed))
            return;
        if (!legacy)
            throw new ConfigException(path + ": " + name + " is in the old AES-CBC form, which notices no change,"
                + " and has no tag that fits: `propseal file rotate --data-key` seals all values anew (if nobody"
                + " else can write the file, legacy.cbc=true opens them as they are)");
        if (legacyOpens == null)
            legacyOpens = allOfCbcOpens();
        if (!legacyOpens)
            throw new ConfigException(path + ": not all values in the old AES-CBC form open: one is damaged, or "
                + "the data key is another one");
    }

    /** Always all of them, so that a run tells one bit. */
    private boolean allOfCbcOpens() {
        boolean opens = true;
        for (String name : sealed()) {
            String text = lines.getProperty(name);
            byte[] has = tag(name);
            if (!isCbc(text) || has != null && MessageDigest.isEqual(has, sum(name, text)))
                continue;
            try {
                Arrays.fill(open(text, dataKey), (byte) 0);
            } catch (Shut e) {
                opens = opens && misfits != null && !misfits.getOrDefault(name, "").isEmpty();
            }
        }
        return opens;
    }

    private List<String> sealed() {
        List<String> out = new ArrayList<>();
        for (String name : new TreeSet<>(lines.stringPropertyNames())) {
            if (!notSealed(name) && lines.getProperty(name).startsWith("ENC["))
                out.add(name);
        }
        return out;
    }

    /** The entries whose tags do not fit: whose values they hold, "" for nobody else's. */
    private Map<String, String> survey() {
        Map<String, String> byText = new HashMap<>(), byTag = new HashMap<>(), found = new HashMap<>();
        List<String> misfit = new ArrayList<>();
        for (String name : sealed()) {
            String text = lines.getProperty(name);
            byte[] has = tag(name), fits = sum(name, text);
            if (has == null)
                continue;
            byTag.putIfAbsent(Arrays.toString(fits), name);
            if (MessageDigest.isEqual(has, fits))
                byText.putIfAbsent(text, name);
            else
                misfit.add(name);
        }
        List<String> all = new ArrayList<>(misfit);    // and tags whose entries are gone
        for (String name : lines.stringPropertyNames()) {
            if (name.startsWith(TAG) && !lines.getProperty(name.substring(TAG.length()), "").startsWith("ENC["))
                all.add(name.substring(TAG.length()));
        }
        int left = SUMS_MAX;
        for (String name : misfit) {
            String text = lines.getProperty(name), owner;
            byte[] has = tag(name);
            owner = byText.get(text);
            if (owner == null)
                owner = byTag.get(Arrays.toString(has));
            for (int i = 0; owner == null && i < all.size() && left > 0; i++) {
                String other = all.get(i);
                if (other.equals(name))
                    continue;
                byte[] would = sum(other, text);
                left--;
                if (text.equals(lines.getProperty(other)) || MessageDigest.isEqual(would, tag(other))
                    || MessageDigest.isEqual(would, has))
                    owner = other;
            }
            found.put(name, owner == null ? "" : owner);
        }
        return found;
    }

    /** The tag that stands with an entry; null: none, of length 0: what is no tag. */
    private byte[] tag(String name) {
        String text = lines.getProperty(TAG + name);
        if (text == null)
            return null;
        try {
            byte[] tag = Base64.getDecoder().decode(text);
            return tag.length == 16 && text.length() == 24 ? tag : new byte[0];
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    /** The tag that would fit: over the name's length, the name and the sealed text. */
    private byte[] sum(String name, String sealed) {
        byte[] n = name.getBytes(StandardCharsets.UTF_8), text = sealed.getBytes(StandardCharsets.UTF_8);
        tagger.update(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(n.length).array());
        tagger.update(n);
        return Arrays.copyOf(tagger.doFinal(text), 16);
    }

    private static Mac hmac(byte[] key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Is it metadata, or a tag? */
    private static boolean notSealed(String name) {
        return name.startsWith(TAG) || name.startsWith(META) && name.indexOf('/') < 0;
    }

    private static boolean isCbc(String sealed) {
        return sealed.startsWith("ENC[" + CBC + ",");
    }

    /** Line ends inside do not count, as in Go's decoder. */
    private static byte[] base64(String text) {
        return Base64.getDecoder().decode(text.replaceAll("[\r\n]", ""));
    }

    private static byte[] open(String sealed, byte[] key) throws Shut {
        Matcher m = SEALED.matcher(sealed);
        if (!m.matches() || !m.group(1).equals(GCM) && !m.group(1).equals(CBC))
            throw new Shut();
        try {
            byte[] data = base64(m.group(2)), iv = base64(m.group(3));
            if (m.group(1).equals(GCM) && iv.length != 12)
                throw new Shut();
            Cipher cipher = Cipher.getInstance(m.group(1));
            cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"),
                m.group(1).equals(GCM) ? new GCMParameterSpec(128, iv) : new IvParameterSpec(iv));
            return cipher.doFinal(data);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new Shut();
        }
    }

    @Override
    public void close() {
        if (dataKey != null)
            Arrays.fill(dataKey, (byte) 0);
    }
}
