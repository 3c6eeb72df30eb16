import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeProducersOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A test's hand in a cluster: topics, coordinators, and a producer and a consumer
 * that know nothing of the registry. Each line of standard input is a request in
 * JSON with the name of what is to be done in "do"; each gets one line of JSON.
 * Records are {"key","value"} in base64 or null. Partition 0 is meant throughout.
 */
public class Hand {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long WAIT = 40;
    private final String servers;
    private final String ms;
    private final Admin admin;
    private final Map<String, KafkaProducer<byte[], byte[]>> open = new HashMap<>();

    Hand(String servers, int seconds) {
        this.servers = servers;
        ms = Integer.toString(seconds * 1000);
        admin = Admin.create(Map.of("bootstrap.servers", servers, "request.timeout.ms", shortMs(),
            "default.api.timeout.ms", ms));
    }

    /** Of one request, so that there is time for another. */
    private String shortMs() {
        return Integer.toString(Math.min(10000, Integer.parseInt(ms) / 2));
    }

    private static <T> T get(Future<T> f) throws Exception {
        return f.get(WAIT, TimeUnit.SECONDS);
    }

    private static byte[] bytes(JsonNode n) {
        return n == null || n.isNull() ? null : Base64.getDecoder().decode(n.asText());
    }

    private static String base64(byte[] b) {
        return b == null ? null : Base64.getEncoder().encodeToString(b);
    }

    private static ConfigResource topic(JsonNode a) {
        return new ConfigResource(ConfigResource.Type.TOPIC, a.get("topic").asText());
    }

    private static TopicPartition partition(JsonNode a) {
        return new TopicPartition(a.get("topic").asText(), 0);
    }

    private KafkaProducer<byte[], byte[]> producer(String transactional) {
        Map<String, Object> p = new HashMap<>(Map.of("bootstrap.servers", servers, "acks", "all",
            "max.block.ms", ms, "delivery.timeout.ms", ms, "request.timeout.ms", shortMs(), "linger.ms", "0"));
        if (transactional != null)
            p.put("transactional.id", transactional);
        return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private void send(KafkaProducer<byte[], byte[]> p, JsonNode a, ObjectNode out) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode r : a.get("records"))
            sent.add(p.send(new ProducerRecord<>(a.get("topic").asText(), 0, bytes(r.get("key")),
                bytes(r.get("value")))));
        p.flush();
        ArrayNode offsets = out.putArray("offsets");
        for (Future<RecordMetadata> f : sent)
            offsets.add(f.get().offset());
    }

    private void describe(JsonNode a, ObjectNode out) throws Exception {
        String name = a.get("topic").asText();
        TopicDescription d = get(admin.describeTopics(List.of(name)).allTopicNames()).get(name);
        TopicPartitionInfo p = d.partitions().get(0);
        out.put("id", d.topicId().toString()).put("partitions", d.partitions().size());
        out.put("leader", p.leader() == null ? -1 : p.leader().id());
        ArrayNode isr = out.putArray("isr");
        for (Node n : p.isr())
            isr.add(n.id());
        ArrayNode replicas = out.putArray("replicas");
        for (Node n : p.replicas())
            replicas.add(n.id());
        ObjectNode settings = out.putObject("settings");
        for (ConfigEntry e : get(admin.describeConfigs(List.of(topic(a))).all()).get(topic(a)).entries())
            settings.put(e.name(), e.value());
    }

    /** The brokers that know of the topic: each is asked itself, as any other may know later. */
    private void known(JsonNode a, ObjectNode out) throws Exception {
        ArrayNode nodes = out.putArray("nodes"), knowing = out.putArray("known");
        for (Node n : get(admin.describeCluster().nodes())) {
            nodes.add(n.id());
            try {
                get(admin.describeProducers(List.of(partition(a)),
                    new DescribeProducersOptions().brokerId(n.id()).timeoutMs(1500)).all());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof NotLeaderOrFollowerException))
                    continue;
            }
            knowing.add(n.id());
        }
    }

    private void consume(JsonNode a, ObjectNode out) throws Exception {
        boolean committed = a.get("committed").asBoolean();
        Map<String, Object> c = Map.of("bootstrap.servers", servers, "enable.auto.commit", "false",
            "isolation.level", committed ? "read_committed" : "read_uncommitted");
        ArrayNode records = out.putArray("records");
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition p = partition(a);
            consumer.assign(List.of(p));
            consumer.seekToBeginning(List.of(p));
            long end = consumer.endOffsets(List.of(p)).get(p);
            long until = System.nanoTime() + WAIT * 1_000_000_000L;
            while (consumer.position(p) < end) {
                if (System.nanoTime() > until)
                    throw new Exception("at " + consumer.position(p) + " of " + end + " after " + WAIT + " s");
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    ObjectNode o = records.addObject();
                    o.put("offset", r.offset()).put("at", r.timestamp());
                    o.put("key", base64(r.key())).put("value", base64(r.value()));
                    ObjectNode headers = o.putObject("headers");
                    for (Header h : r.headers())
                        headers.put(h.key(), base64(h.value()));
                }
            }
        }
    }

    private void offsets(JsonNode a, ObjectNode out) throws Exception {
        TopicPartition p = partition(a);
        out.put("start", get(admin.listOffsets(Map.of(p, OffsetSpec.earliest())).all()).get(p).offset());
        out.put("end", get(admin.listOffsets(Map.of(p, OffsetSpec.latest())).all()).get(p).offset());
        out.put("stable", get(admin.listOffsets(Map.of(p, OffsetSpec.latest()),
            new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all()).get(p).offset());
    }

    private void create(JsonNode a) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (var e : a.get("settings").properties())
            settings.put(e.getKey(), e.getValue().asText());
        get(admin.createTopics(List.of(new NewTopic(a.get("topic").asText(), a.get("partitions").asInt(),
            (short) a.get("replicas").asInt()).configs(settings))).all());
    }

    private void alter(JsonNode a) throws Exception {
        List<AlterConfigOp> ops = new ArrayList<>();
        for (var e : a.get("settings").properties())
            ops.add(new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue().asText()), AlterConfigOp.OpType.SET));
        get(admin.incrementalAlterConfigs(Map.of(topic(a), ops)).all());
    }

    /** init, send, commit, abort: a foreign transaction, told by its "name". */
    private void transaction(String what, JsonNode a, ObjectNode out) throws Exception {
        String name = a.get("name").asText();
        if (what.equals("init")) {
            KafkaProducer<byte[], byte[]> made = producer(name);
            made.initTransactions();
            KafkaProducer<byte[], byte[]> before = open.put(name, made);
            if (before != null)
                before.close(Duration.ZERO);
            return;
        }
        KafkaProducer<byte[], byte[]> p = open.get(name);
        if (what.equals("send")) {
            p.beginTransaction();
            send(p, a, out);
        } else if (what.equals("commit")) {
            p.commitTransaction();
        } else {
            p.abortTransaction();
        }
    }

    private void act(String what, JsonNode a, ObjectNode out) throws Exception {
        switch (what) {
        case "nodes":
            ArrayNode ids = out.putArray("nodes");
            for (Node n : get(admin.describeCluster().nodes()))
                ids.add(n.id());
            break;
        case "topics":
            ArrayNode names = out.putArray("topics");
            get(admin.listTopics().names()).forEach(names::add);
            break;
        case "create": create(a); break;
        case "delete": get(admin.deleteTopics(List.of(a.get("topic").asText())).all()); break;
        case "alter": alter(a); break;
        case "describe": describe(a, out); break;
        case "offsets": offsets(a, out); break;
        case "known": known(a, out); break;
        case "truncate":
            get(admin.deleteRecords(Map.of(partition(a), RecordsToDelete.beforeOffset(a.get("before").asLong())))
                .all());
            break;
        case "transaction":
            var t = get(admin.describeTransactions(List.of(a.get("name").asText())).all())
                .get(a.get("name").asText());
            out.put("coordinator", t.coordinatorId()).put("state", t.state().toString());
            out.put("producer", t.producerId()).put("epoch", t.producerEpoch());
            break;
        case "group":
            var g = get(admin.describeConsumerGroups(List.of(a.get("name").asText())).all())
                .get(a.get("name").asText());
            out.put("coordinator", g.coordinator().id()).put("members", g.members().size());
            break;
        case "scram":
            get(admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(a.get("user").asText(),
                new ScramCredentialInfo(ScramMechanism.fromMechanismName(a.get("mechanism").asText()), 4096),
                a.get("password").asText()))).all());
            break;
        case "allow":
            get(admin.createAcls(List.of(new AclBinding(
                new ResourcePattern(ResourceType.valueOf(a.get("type").asText()), a.get("name").asText(),
                    PatternType.LITERAL),
                new AccessControlEntry("User:" + a.get("user").asText(), "*",
                    AclOperation.valueOf(a.get("operation").asText()), AclPermissionType.ALLOW)))).all());
            break;
        case "produce":
            try (KafkaProducer<byte[], byte[]> p = producer(null)) {
                send(p, a, out);
            }
            break;
        case "consume": consume(a, out); break;
        case "init": case "send": case "commit": case "abort": transaction(what, a, out); break;
        default: throw new IllegalArgumentException("there is no " + what);
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Hand hand = new Hand(args[0], Integer.parseInt(args[1]));
        for (String line; (line = in.readLine()) != null; ) {
            ObjectNode out = JSON.createObjectNode();
            try {
                JsonNode a = JSON.readTree(line);
                hand.act(a.get("do").asText(), a, out);
            } catch (Exception e) {
                Throwable t = e instanceof ExecutionException ? e.getCause() : e;
                out.removeAll();
                out.put("error", t.getClass().getSimpleName()).put("message", String.valueOf(t.getMessage()));
            }
            answers.println(JSON.writeValueAsString(out));
        }
        for (KafkaProducer<byte[], byte[]> p : hand.open.values())
            p.close(Duration.ZERO);
        hand.admin.close(Duration.ofSeconds(2));
    }
}
