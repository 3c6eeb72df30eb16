package propseal.connect;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.kafka.common.config.ConfigException;

/** TLS from PEM files. */
final class Pem {
    private static final Pattern KEY =
        Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);

    private Pem() {
    }

    /** Trust ca (null: the JDK's own), and be cert with key (null: nobody). */
    static SSLContext context(Path ca, Path cert, Path key) {
        Path now = ca;
        try {
            TrustManagerFactory trust = null;
            if (ca != null) {
                KeyStore store = empty();
                int n = 0;
                for (Certificate c : certificates(ca))
                    store.setCertificateEntry("ca" + n++, c);
                if (n == 0)
                    throw new ConfigException(ca + " holds no certificate");
                trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(store);
            }
            KeyManagerFactory own = null;
            if (cert != null) {
                KeyStore store = empty();
                Certificate[] chain = certificates(now = cert).toArray(new Certificate[0]);
                now = key == null ? cert : key;
                store.setKeyEntry("own", privateKey(now), new char[0], chain);
                own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                own.init(store, new char[0]);
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own == null ? null : own.getKeyManagers(),
                trust == null ? null : trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new ConfigException("TLS, " + now + ": " + e);
        }
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path file)
        throws GeneralSecurityException, IOException {
        return CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)));
    }

    private static PrivateKey privateKey(Path file) throws GeneralSecurityException, IOException {
        Matcher m = KEY.matcher(Files.readString(file));
        if (!m.find())
            throw new ConfigException(file + " holds no private key in PKCS#8 without a passphrase"
                + " (openssl pkcs8 -topk8 -nodes makes one)");
        byte[] der;
        try {
            der = Base64.getMimeDecoder().decode(m.group(1));
        } catch (IllegalArgumentException e) {
            throw new ConfigException(file + ": the private key is damaged");
        }
        for (String algorithm : new String[] {"RSA", "EC", "Ed25519", "Ed448"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException | java.security.NoSuchAlgorithmException e) {
                continue;    // another algorithm's, or one that this Java does not have
            }
        }
        throw new ConfigException(file + ": the private key is of an unknown algorithm");
    }
}
