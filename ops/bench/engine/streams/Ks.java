import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The job on Kafka Streams, one thread, a changelogged store in memory or RocksDB. BROKER, INPUT, OUTPUT, ID, DATA, STORE. */
public class Ks {
  static final ObjectMapper JSON = new ObjectMapper();

  static class Count implements Processor<String, byte[], String, byte[]> {
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, Integer> counts;

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
      this.context = context;
      this.counts = context.getStateStore("counts");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      try {
        Integer known = counts.get(record.key());
        int n = (known == null ? 0 : known) + 1;
        counts.put(record.key(), n);
        ObjectNode said = (ObjectNode) JSON.readTree(record.value());
        said.put("n", n);
        context.forward(record.withValue(JSON.writeValueAsBytes(said)));
      } catch (java.io.IOException error) {
        throw new RuntimeException(error);
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("application.id", System.getenv("ID"));
    settings.put("bootstrap.servers", System.getenv("BROKER"));
    settings.put("auto.offset.reset", "earliest");
    settings.put("num.stream.threads", "1");
    settings.put("state.dir", System.getenv("DATA"));
    settings.put("replication.factor", "1");
    settings.put("statestore.cache.max.bytes", "10485760");
    settings.put("producer.linger.ms", "50");
    settings.put("max.poll.records", "2000");
    boolean memory = "memory".equals(System.getenv("STORE"));
    Topology topology = new Topology();
    topology.addSource("source", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), System.getenv("INPUT"));
    topology.addProcessor("count", Count::new, "source");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(
                memory ? Stores.inMemoryKeyValueStore("counts") : Stores.persistentKeyValueStore("counts"),
                Serdes.String(), Serdes.Integer())
            .withCachingEnabled(),
        "count");
    topology.addSink("sink", System.getenv("OUTPUT"), Serdes.String().serializer(), Serdes.ByteArray().serializer(), "count");
    new KafkaStreams(topology, settings).start();
    new CountDownLatch(1).await();
  }
}
