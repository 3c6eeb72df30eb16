package propseal.connect;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.config.ConfigException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** HTTP to a Secret Registry: where it is, who asks, and how often. */
final class RegistryClient {
    static final String[] PARAMETERS = {"url", "user", "password", "password.file", "token.file", "ca",
        "cert", "cert.key", "timeout.ms", "start.timeout.ms", "retry.timeout.ms", "insecure.http"};

    private static final Logger LOG = LoggerFactory.getLogger(RegistryClient.class);
    private static final Set<Integer> AGAIN = Set.of(429, 502, 503, 504);
    private static final long FIRST_PAUSE = 250, LAST_PAUSE = 10_000;

    final URI base;
    private final String user;
    private final String password;
    private final Path passwordFile;
    private final Path tokenFile;
    private final Path ca;
    private final Path cert;
    private final Path certKey;
    private final Duration timeout;
    private final long startMs;
    private final long retryMs;
    private HttpClient http;
    private volatile boolean answered;

    RegistryClient(Settings s) {
        base = url(s.text("url", "http://127.0.0.1:8082"), s.flag("insecure.http", false));
        user = s.text("user");
        password = s.text("password");
        passwordFile = s.file("password.file");
        tokenFile = s.file("token.file");
        ca = s.file("ca");
        cert = s.file("cert");
        certKey = s.file("cert.key");
        timeout = Duration.ofMillis(Math.max(1, s.milliseconds("timeout.ms", 5_000)));
        startMs = s.milliseconds("start.timeout.ms", 180_000);
        retryMs = s.milliseconds("retry.timeout.ms", 20_000);
        if (tokenFile != null && user != null)
            throw new ConfigException("token.file and user are two logins: give one");
        if (user != null && password == null && passwordFile == null)
            throw new ConfigException("user has no password.file");
        if (user == null && (password != null || passwordFile != null))
            throw new ConfigException("a password without user");
        if (certKey != null && cert == null)
            throw new ConfigException("cert.key without cert");
    }

    private static URI url(String text, boolean insecure) {
        URI u;
        try {
            u = URI.create(text.replaceAll("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw new ConfigException("url is no URL");
        }
        boolean tls = "https".equals(u.getScheme());
        if (!tls && !"http".equals(u.getScheme()) || u.getHost() == null)
            throw new ConfigException("url has to be https://HOST:PORT (or http:// on this machine)");
        if (u.getRawUserInfo() != null)
            throw new ConfigException("url must not hold a login: user and password.file do");
        if (!tls && !insecure && !u.getHost().matches("localhost|127[.][0-9.]+|\\[::1\\]"))
            throw new ConfigException("url: http would show secrets on the way to " + u.getHost()
                + "; use https (or insecure.http=true, where the network is what protects them)");
        return u;
    }

    static String segment(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Made at the first request, as Kafka also makes providers that it never asks. */
    private synchronized HttpClient http() {
        if (http == null) {
            HttpClient.Builder b = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)    // no "Upgrade: h2c" with http
                .connectTimeout(timeout).followRedirects(HttpClient.Redirect.NEVER);
            if ("https".equals(base.getScheme()))
                b.sslContext(Pem.context(ca, cert, certKey));
            http = b.build();
        }
        return http;
    }

    /** One request with the caller's own login (null: none). */
    HttpResponse<byte[]> forward(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http().send(request.timeout(timeout).build(),
            HttpResponse.BodyHandlers.ofByteArray());
    }

    /**
     * POST with the worker's login, and the text of the answer, which is 200.
     * While the registry cannot be reached, or says that it is not ready, it is
     * asked again: for start.timeout.ms until it first answers, as both may be
     * starting, later for retry.timeout.ms.
     */
    String post(String path, String body, String what) {
        long begin = System.nanoTime(), pause = FIRST_PAUSE;
        URI uri = URI.create(base + path);
        for (;;) {
            String why;
            try {
                HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(timeout)
                    .header("Accept", "application/json").header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
                authorize(request);
                HttpResponse<String> answer =
                    http().send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
                if (answer.statusCode() == 200) {
                    answered = true;
                    return answer.body();
                }
                why = told(answer);
                if (!AGAIN.contains(answer.statusCode()))
                    throw new ConfigException(what + ": the registry at " + base + " answers " + why);
            } catch (IOException e) {
                why = e.toString();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ConfigException(what + ": interrupted");
            }
            long left = (answered ? retryMs : startMs) - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            if (left <= 0)
                throw new ConfigException(what + ": no answer from the registry at " + base + ": " + why);
            LOG.warn("{}: the registry at {}: {}; asked again for {} s", what, base, why, left / 1000);
            sleep(Math.min(left, pause / 2 + ThreadLocalRandom.current().nextLong(pause)), what);
            pause = Math.min(2 * pause, LAST_PAUSE);
        }
    }

    /** The registry's own words: its errors name paths and keys, and hold no value. */
    private static String told(HttpResponse<String> answer) {
        String text = String.valueOf(answer.statusCode());
        try {
            Object message = Json.object(answer.body()).get("message");
            if (message instanceof String)
                text += " (" + ((String) message).replaceAll("\\p{Cntrl}", "?") + ")";
        } catch (Json.Bad e) {
            text += " (not in the registry's form: is this its address?)";
        }
        return text + ", request " + answer.headers().firstValue("X-Request-Id").orElse("?");
    }

    private void authorize(HttpRequest.Builder request) throws IOException {
        if (tokenFile != null) {
            request.header("Authorization", "Bearer " + line(tokenFile));
        } else if (user != null) {
            String secret = passwordFile != null ? line(passwordFile) : password;
            request.header("Authorization", "Basic " + Base64.getEncoder()
                .encodeToString((user + ":" + secret).getBytes(StandardCharsets.UTF_8)));
        }
    }

    /** Read anew each time, so that a changed login needs no restart. */
    private static String line(Path file) {
        String text;
        try {
            text = Files.readString(file).replaceFirst("\r?\n\\z", "");
        } catch (IOException e) {
            throw new ConfigException("the login in " + file + " cannot be read: " + e);
        }
        if (text.isEmpty() || text.indexOf('\n') >= 0)
            throw new ConfigException("the login in " + file + " has to be one line");
        return text;
    }

    private static void sleep(long ms, String what) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigException(what + ": interrupted");
        }
    }
}
