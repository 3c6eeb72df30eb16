import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;

/** Logs in to a broker with a client's file; prints `nodes N`, or why not. */
public class Login {
    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of(args[0]), StandardCharsets.UTF_8)) {
            p.load(in);
        }
        try (Admin admin = Admin.create(p)) {
            System.out.println("nodes " + admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).size());
        } catch (ExecutionException | TimeoutException | RuntimeException e) {
            for (Throwable t = e; t != null; t = t.getCause())
                System.out.println(t);
        }
    }
}
