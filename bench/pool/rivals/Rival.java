// HikariCP over a DataSource that does nothing: the same scenarios, the same lines.
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.PrintWriter;
import java.sql.*;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.logging.Logger;
import javax.sql.DataSource;

public class Rival {
  /** Its methods do nothing, as those of the stub driver that HikariCP's own benchmark uses. */
  static final class Stub implements Connection {
    public Statement createStatement() { return null; }
    public PreparedStatement prepareStatement(String sql) { return null; }
    public CallableStatement prepareCall(String sql) { return null; }
    public String nativeSQL(String sql) { return sql; }
    public void setAutoCommit(boolean on) {}
    public boolean getAutoCommit() { return true; }
    public void commit() {}
    public void rollback() {}
    public void close() {}
    public boolean isClosed() { return false; }
    public DatabaseMetaData getMetaData() { return null; }
    public void setReadOnly(boolean on) {}
    public boolean isReadOnly() { return false; }
    public void setCatalog(String name) {}
    public String getCatalog() { return null; }
    public void setTransactionIsolation(int level) {}
    public int getTransactionIsolation() { return TRANSACTION_READ_COMMITTED; }
    public SQLWarning getWarnings() { return null; }
    public void clearWarnings() {}
    public Statement createStatement(int a, int b) { return null; }
    public PreparedStatement prepareStatement(String sql, int a, int b) { return null; }
    public CallableStatement prepareCall(String sql, int a, int b) { return null; }
    public Map<String, Class<?>> getTypeMap() { return null; }
    public void setTypeMap(Map<String, Class<?>> map) {}
    public void setHoldability(int level) {}
    public int getHoldability() { return 0; }
    public Savepoint setSavepoint() { return null; }
    public Savepoint setSavepoint(String name) { return null; }
    public void rollback(Savepoint point) {}
    public void releaseSavepoint(Savepoint point) {}
    public Statement createStatement(int a, int b, int c) { return null; }
    public PreparedStatement prepareStatement(String sql, int a, int b, int c) { return null; }
    public CallableStatement prepareCall(String sql, int a, int b, int c) { return null; }
    public PreparedStatement prepareStatement(String sql, int keys) { return null; }
    public PreparedStatement prepareStatement(String sql, int[] columns) { return null; }
    public PreparedStatement prepareStatement(String sql, String[] columns) { return null; }
    public Clob createClob() { return null; }
    public Blob createBlob() { return null; }
    public NClob createNClob() { return null; }
    public SQLXML createSQLXML() { return null; }
    public boolean isValid(int seconds) { return true; }
    public void setClientInfo(String name, String value) {}
    public void setClientInfo(Properties properties) {}
    public String getClientInfo(String name) { return null; }
    public Properties getClientInfo() { return null; }
    public Array createArrayOf(String type, Object[] elements) { return null; }
    public Struct createStruct(String type, Object[] attributes) { return null; }
    public void setSchema(String name) {}
    public String getSchema() { return null; }
    public void abort(Executor executor) {}
    public void setNetworkTimeout(Executor executor, int ms) {}
    public int getNetworkTimeout() { return 0; }
    public <T> T unwrap(Class<T> type) { return null; }
    public boolean isWrapperFor(Class<?> type) { return false; }
  }

  static final class Source implements DataSource {
    volatile long creationMs = 0;
    public Connection getConnection() {
      if (creationMs > 0) pause(creationMs);
      return new Stub();
    }
    public Connection getConnection(String user, String password) { return getConnection(); }
    public PrintWriter getLogWriter() { return null; }
    public void setLogWriter(PrintWriter writer) {}
    public void setLoginTimeout(int seconds) {}
    public int getLoginTimeout() { return 0; }
    public Logger getParentLogger() { return null; }
    public <T> T unwrap(Class<T> type) { return null; }
    public boolean isWrapperFor(Class<?> type) { return false; }
  }

  static void pause(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static HikariDataSource open(Source source, int min, int max) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(source);
    config.setMinimumIdle(min);
    config.setMaximumPoolSize(max);
    config.setConnectionTimeout(60_000);
    HikariDataSource pool = new HikariDataSource(config);
    while (pool.getHikariPoolMXBean().getTotalConnections() < min) pause(1);
    return pool;
  }

  interface Work { long run(int thread) throws Exception; }

  static volatile boolean end;
  static final com.sun.management.OperatingSystemMXBean machine =
      (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean();

  static double[] crowd(int threads, long ms, Work work) throws Exception {
    end = false;
    long[] done = new long[threads];
    CountDownLatch ready = new CountDownLatch(threads), start = new CountDownLatch(1);
    Thread[] all = new Thread[threads];
    for (int i = 0; i < threads; ++i) {
      int me = i;
      all[i] = new Thread(() -> {
        try {
          ready.countDown();
          start.await();
          done[me] = work.run(me);
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      });
      all[i].start();
    }
    ready.await();
    long used = machine.getProcessCpuTime();
    long began = System.nanoTime();
    start.countDown();
    pause(ms);
    end = true;
    long took = System.nanoTime() - began;
    for (Thread thread : all) thread.join();
    used = machine.getProcessCpuTime() - used;
    long sum = 0, least = Long.MAX_VALUE, most = 0;
    for (long one : done) {
      sum += one;
      least = Math.min(least, one);
      most = Math.max(most, one);
    }
    return new double[] {sum / (took / 1e6), most == 0 ? 0 : (double) least / most, (double) used / sum};
  }

  static long free(HikariDataSource pool) throws SQLException {
    long done = 0;
    for (; !end; ++done) pool.getConnection().close();
    return done;
  }

  static long timed(HikariDataSource pool, long[] longest, int me) throws SQLException {
    long done = 0;
    for (; !end; ++done) {
      long asked = System.nanoTime();
      Connection connection = pool.getConnection();
      longest[me] = Math.max(longest[me], System.nanoTime() - asked);
      connection.close();
    }
    return done;
  }

  public static void main(String[] words) throws Exception {
    String who = "HikariCP " + words[0];
    int[][] shapes = {{1, 1}, {2, 2}, {4, 4}, {8, 8}, {2, 1}, {4, 2}, {8, 4}};
    try (HikariDataSource warm = open(new Source(), 4, 4)) {  // until the compiler has seen it all
      for (int i = 0; i < 4; ++i) {
        crowd(4, 300, me -> free(warm));
        crowd(4, 100, me -> timed(warm, new long[4], me));
      }
    }
    for (int[] shape : shapes) {
      try (HikariDataSource pool = open(new Source(), shape[1], shape[1])) {
        crowd(shape[0], 50, me -> free(pool));
        double[] free = crowd(shape[0], 150, me -> free(pool));
        long[] longest = new long[shape[0]];
        double share = crowd(shape[0], 150, me -> timed(pool, longest, me))[1];
        long most = 0;
        for (long one : longest) most = Math.max(most, one);
        System.out.printf("{\"who\":\"%s\",\"scenario\":\"%d/%d\",\"cpu_ns\":%.1f,\"ops_per_ms\":%.1f,\"longest_wait_us\":%.1f,"
            + "\"least_share\":%.3f}%n", who, shape[0], shape[1], free[2], free[0], most / 1e3, share);
      }
    }
    Source slow = new Source();
    slow.creationMs = 150;
    try (HikariDataSource pool = open(slow, 5, 50)) {
      pause(200);  // its first filling is over
      long[] waits = new long[50];
      CountDownLatch ready = new CountDownLatch(50), start = new CountDownLatch(1);
      Thread[] all = new Thread[50];
      for (int i = 0; i < 50; ++i) {
        int me = i;
        all[i] = new Thread(() -> {
          try {
            ready.countDown();
            start.await();
            long asked = System.nanoTime();
            try (Connection connection = pool.getConnection()) {
              waits[me] = System.nanoTime() - asked;
              pause(2);
            }
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
        all[i].start();
      }
      ready.await();
      long began = System.nanoTime();
      start.countDown();
      for (Thread thread : all) thread.join();
      long served = System.nanoTime() - began;
      pause(400);  // what it has begun to make is there now
      long sum = 0;
      for (long wait : waits) sum += wait;
      System.out.printf("{\"who\":\"%s\",\"scenario\":\"spike\",\"total\":%d,\"all_served_ms\":%.2f,"
          + "\"mean_wait_ms\":%.2f}%n", who, pool.getHikariPoolMXBean().getTotalConnections(), served / 1e6,
          sum / 50e6);
    }
  }
}
