import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readServerTls } from '@liandun/tls';
import { AppModule } from './app.module.js';

// One fictional platform of the sandbox, built on what any platform would install.
const bodyLimit = 16 * 1024 * 1024;
const { LIANDUN_TLS_CERT: cert, LIANDUN_TLS_KEY: key } = process.env;
const adapter =
  cert && key
    ? new FastifyAdapter({ bodyLimit, https: readServerTls({ cert, key }) })
    : new FastifyAdapter({ bodyLimit });
const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
