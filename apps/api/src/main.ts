import 'reflect-metadata';
import { createApi } from './api.js';

try {
  const api = await createApi(process.env);
  process.on('SIGHUP', () => api.reload());
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      // Whatever keeps a connection open must not keep the process.
      setTimeout(() => process.exit(1), 10_000).unref();
      void api.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
} catch (error) {
  process.stderr.write(`api: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
