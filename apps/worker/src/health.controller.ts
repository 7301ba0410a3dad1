import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';
import { Worker } from './worker.js';

/** What the operator's probes and Prometheus ask. */
@Controller()
export class HealthController {
  constructor(@Inject(Worker) private readonly worker: Worker) {}

  @Get('health/live')
  live(): object {
    return { status: 'ok' };
  }

  /** 503 with the parts that don't work, once one has stopped. */
  @Get('health/ready')
  async ready(): Promise<object> {
    const parts = await this.worker.status();
    if (parts.every((part) => part.healthy)) return { status: 'ok', parts };
    throw new ServiceUnavailableException({ status: 'unhealthy', parts });
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.worker.metrics.registry.metrics();
  }
}
