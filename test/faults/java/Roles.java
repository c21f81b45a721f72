import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;

/**
 * Prints which node of a cluster does what, as Kafka's own client knows it, one line each, fields separated by tabs:
 *
 *   leader NODE       of the partition named
 *   group NODE        the coordinator of the group named
 *   transaction NODE  the coordinator of the transactional id named
 *   controller NODE   of the cluster's own metadata
 *   behind COUNT      replicas of any topic that are not in sync
 *
 * Arguments: bootstrap servers, topic, partition, group, transactional id.
 */
public final class Roles {
  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("default.api.timeout.ms", "30000");
    try (Admin admin = Admin.create(properties)) {
      TopicDescription topic = admin.describeTopics(List.of(args[1])).topicNameValues().get(args[1]).get();
      print("leader", topic.partitions().get(Integer.parseInt(args[2])).leader().id());
      print("group", admin.describeConsumerGroups(List.of(args[3])).describedGroups().get(args[3]).get().coordinator().id());
      print("transaction", admin.describeTransactions(List.of(args[4])).description(args[4]).get().coordinatorId());
      print("controller", admin.describeMetadataQuorum().quorumInfo().get(30, TimeUnit.SECONDS).leaderId());
      Map<String, TopicDescription> all = admin.describeTopics(admin.listTopics(new org.apache.kafka.clients.admin.ListTopicsOptions().listInternal(true)).names().get()).allTopicNames().get();
      print("behind", all.values().stream().flatMap(each -> each.partitions().stream())
          .mapToInt(partition -> partition.replicas().size() - partition.isr().size()).sum());
    }
  }

  private static void print(String what, int number) {
    System.out.println(what + "\t" + number);
  }
}
