import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints what Kafka's own client sees with isolation read_committed. One line each, fields separated by tabs, bytes in base64, "-" for null:
 *
 *   end TOPIC PARTITION LAST_STABLE_OFFSET HIGH_WATERMARK                            (modes ends and once, first)
 *   record TOPIC PARTITION OFFSET TIMESTAMP KEY VALUE NAME=VALUE,NAME=VALUE,…
 *
 * Arguments: bootstrap servers, then `ends`, `once` (all there is as of now) or `follow` (until killed), then topics.
 */
public final class ReadCommitted {
  private static final Base64.Encoder BASE64 = Base64.getEncoder();
  private static final PrintStream OUT = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false);

  public static void main(String[] args) {
    String mode = args[1];
    try (KafkaConsumer<byte[], byte[]> consumer = open(args[0], "read_committed")) {
      List<TopicPartition> partitions = Arrays.stream(args).skip(2)
          .flatMap(topic -> consumer.partitionsFor(topic, Duration.ofMinutes(1)).stream())
          .map(info -> new TopicPartition(info.topic(), info.partition()))
          .collect(Collectors.toList());
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> stable = mode.equals("follow") ? Map.of() : printEnds(args[0], consumer, partitions);
      OUT.flush();
      if (mode.equals("ends")) return;
      while (mode.equals("follow") || partitions.stream().anyMatch(p -> consumer.position(p) < stable.get(p))) {
        consumer.poll(Duration.ofMillis(200)).forEach(ReadCommitted::print);
        OUT.flush();
        if (OUT.checkError()) return;
      }
    }
  }

  private static KafkaConsumer<byte[], byte[]> open(String servers, String isolation) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", servers);
    properties.put("isolation.level", isolation);
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    properties.put("auto.offset.reset", "none");
    properties.put("default.api.timeout.ms", "120000");
    return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Map<TopicPartition, Long> printEnds(
      String servers, KafkaConsumer<byte[], byte[]> committed, List<TopicPartition> partitions) {
    Map<TopicPartition, Long> stable = committed.endOffsets(partitions);
    try (KafkaConsumer<byte[], byte[]> uncommitted = open(servers, "read_uncommitted")) {
      Map<TopicPartition, Long> high = uncommitted.endOffsets(partitions);
      for (TopicPartition p : partitions) {
        OUT.println(String.join("\t", "end", p.topic(), "" + p.partition(), "" + stable.get(p), "" + high.get(p)));
      }
    }
    return stable;
  }

  private static void print(ConsumerRecord<byte[], byte[]> record) {
    StringJoiner headers = new StringJoiner(",");
    for (Header header : record.headers()) headers.add(header.key() + "=" + text(header.value()));
    OUT.println(String.join("\t", "record", record.topic(), "" + record.partition(), "" + record.offset(),
        "" + record.timestamp(), text(record.key()), text(record.value()), headers.toString()));
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "-" : BASE64.encodeToString(bytes);
  }
}
