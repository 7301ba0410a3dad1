import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { HealthController } from './health.controller.js';
import { workerSettings } from './settings.js';
import { Worker } from './worker.js';

@Module({ controllers: [HealthController] })
class WorkerModule {}

async function main(): Promise<void> {
  const settings = workerSettings(process.env, process.argv.slice(2));
  const logger = pino({ level: settings.logLevel, base: { app: 'worker' } });
  if (settings.vaultKeys.kms.warning) logger.warn(settings.vaultKeys.kms.warning);
  const fatal = (error: Error): void => {
    logger.fatal({ problem: error.message }, 'the worker ends: whoever runs it starts it again');
    process.exit(1);
  };
  const worker = new Worker(settings, logger, fatal);
  await worker.start();
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: WorkerModule, providers: [{ provide: Worker, useValue: worker }] },
    settings.tls ? new FastifyAdapter({ https: settings.tls }) : new FastifyAdapter(),
    { logger: false },
  );
  await app.listen(settings.port, settings.host);
  logger.info({ url: await app.getUrl(), parts: [...settings.parts] }, 'the worker is ready');
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await app.close();
    await worker.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop().catch(fatal));
}

main().catch((error: Error) => {
  process.stderr.write(`the worker could not start: ${error.message}\n`);
  process.exit(1);
});
