import picocolors from 'picocolors';

// The library colours whatever runs under CI: only a terminal is meant here.
const pc = picocolors.createColors(process.stdout.isTTY ? !process.env.NO_COLOR : false);

const TEXT = {
  en: {
    title: 'Liandun is up. Stop it with Ctrl-C.',
    url: 'HTTP API',
    docs: 'API documents',
    page: "the merchant's own page (codes are printed here)",
    kafka: 'Kafka (SASL/OAUTHBEARER)',
    database: 'PostgreSQL',
    env: 'all addresses and keys',
    logs: 'logs',
    next: 'Try, in another terminal:',
  },
  zh: {
    title: '联盾已启动。按 Ctrl-C 停止。',
    url: 'HTTP 接口',
    docs: '接口文档',
    page: '商户页面（验证码显示在本窗口）',
    kafka: 'Kafka（SASL/OAUTHBEARER）',
    database: 'PostgreSQL',
    env: '全部地址与密钥',
    logs: '日志',
    next: '可在另一个终端尝试：',
  },
};

/** Where everything is, for the person who will now use it. */
export function printSummary({ language, home, addresses }) {
  const text = TEXT[language];
  const lines = [
    [text.url, addresses.LIANDUN_URL],
    [text.docs, `${addresses.LIANDUN_URL}/openapi.json`],
    [text.page, `${addresses.LIANDUN_URL}/public/`],
    [text.kafka, addresses.KAFKA_BROKERS],
    [text.database, addresses.DATABASE_URL],
    [text.env, `${home}/env`],
    [text.logs, `${home}/*.log`],
  ];
  console.log(`\n${pc.bold(text.title)}`);
  for (const [label, value] of lines) console.log(`  ${label}: ${value}`);
  console.log(`\n${text.next}`);
  console.log('  npm run liandun -- doctor');
  console.log('  npm run liandun -- tail --as platform-b');
}
