/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'libs-not-to-apps', severity: 'error', from: { path: '^libs' }, to: { path: '^apps' } },
    {
      name: 'app-not-to-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/([^/]+)/', pathNot: '^apps/$1/' },
    },
    {
      name: 'lib-by-its-index',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)', pathNot: '^libs/$2/' },
    },
    {
      name: 'contracts-are-plain',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: 'spec\\.ts$' },
      to: { path: '^(libs|apps)/', pathNot: '^libs/contracts/' },
    },
    {
      name: 'no-framework-in-contracts',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: 'spec\\.ts$' },
      to: { path: 'node_modules/(@nestjs|typeorm|pg|kafkajs)' },
    },
    {
      // The pure core: no framework, no database, no broker, no clock, no file system.
      name: 'pure-core',
      severity: 'error',
      from: { path: '^libs/(commitments|domain|identity|transparency-log)/src', pathNot: 'spec\\.ts$' },
      to: { path: 'node_modules/(@nestjs|typeorm|pg|kafkajs|pino|rxjs)|^(node:)?(fs|net|http|timers|child_process)' },
    },
    {
      name: 'commitments-stand-alone',
      severity: 'error',
      from: { path: '^libs/commitments/src', pathNot: 'spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/(commitments|contracts|transparency-log)/' },
    },
    {
      name: 'domain-sees-contracts-by-type',
      severity: 'error',
      from: { path: '^libs/domain/src', pathNot: 'spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/domain/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'event-log-never-sees-domain',
      severity: 'error',
      from: { path: '^libs/event-log/' },
      to: { path: '^libs/(domain|contracts|commitments|vault|identity|intake|views|messaging|sdk)/' },
    },
    {
      // What a publisher signs, the ledger checks: both by the same pure code.
      name: 'sdk-stands-alone',
      severity: 'error',
      from: { path: '^libs/sdk/src', pathNot: 'spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/(sdk|contracts|commitments)/' },
    },
    {
      name: 'cli-without-nest',
      severity: 'error',
      from: { path: '^apps/cli/src' },
      to: { path: 'node_modules/@nestjs', reachable: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
