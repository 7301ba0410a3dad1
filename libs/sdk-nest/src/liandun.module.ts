import {
  Module,
  type DynamicModule,
  type InjectionToken,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OptionalFactoryDependency,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import {
  LiandunClient,
  NoticeConsumer,
  type ClientSettings,
  type ConsumerSettings,
  type ConsumerStatus,
} from '@liandun/sdk';
import { discoverHandler } from './on-notice.js';

// The transaction's type is the caller's own: the module only hands it from the store to the handlers.
// oxlint-disable-next-line typescript/no-explicit-any
export type NoticeOptions = Omit<ConsumerSettings<any>, 'client' | 'handler'>;

export interface LiandunOptions {
  client: ClientSettings;
  /** Where notices come from and where the place is kept; without it the module only gives the client. */
  notices?: NoticeOptions;
}

export interface LiandunAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  // oxlint-disable-next-line typescript/no-explicit-any
  useFactory: (...dependencies: any[]) => LiandunOptions | Promise<LiandunOptions>;
}

const OPTIONS = Symbol('liandun options');

/** The application's consumer of notices: starts once the application has started, stops with it. Injectable. */
export class LiandunNotices implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #options: LiandunOptions;
  readonly #client: LiandunClient;
  readonly #discovery: [DiscoveryService, MetadataScanner, Reflector];
  #consumer: NoticeConsumer<unknown> | undefined;

  constructor(
    options: LiandunOptions,
    client: LiandunClient,
    discovery: [DiscoveryService, MetadataScanner, Reflector],
  ) {
    this.#options = options;
    this.#client = client;
    this.#discovery = discovery;
  }

  onApplicationBootstrap(): void {
    const { notices } = this.#options;
    if (!notices) return;
    const handler = discoverHandler<unknown>(...this.#discovery);
    this.#consumer = new NoticeConsumer({ ...notices, client: this.#client, handler }).start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#consumer?.stop();
  }

  /** Undefined without a consumer. */
  status(): ConsumerStatus | undefined {
    return this.#consumer?.status();
  }

  /** Tries what was set aside again; gives how many are left. */
  async retryFailed(): Promise<number> {
    return (await this.#consumer?.retryFailed()) ?? 0;
  }
}

/** Gives an application `LiandunClient` and `LiandunNotices`, and feeds its `@OnNotice()` methods. Global. */
@Module({})
export class LiandunModule {
  static forRoot(options: LiandunOptions): DynamicModule {
    return LiandunModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync({ imports, inject, useFactory }: LiandunAsyncOptions): DynamicModule {
    return {
      module: LiandunModule,
      global: true,
      imports: [DiscoveryModule, ...(imports ?? [])],
      providers: [
        { provide: OPTIONS, inject: inject ?? [], useFactory },
        {
          provide: LiandunClient,
          inject: [OPTIONS],
          useFactory: ({ client }: LiandunOptions) => new LiandunClient(client),
        },
        {
          provide: LiandunNotices,
          inject: [OPTIONS, LiandunClient, DiscoveryService, MetadataScanner, Reflector],
          useFactory: (
            options: LiandunOptions,
            client: LiandunClient,
            ...discovery: [DiscoveryService, MetadataScanner, Reflector]
          ) => new LiandunNotices(options, client, discovery),
        },
      ],
      exports: [LiandunClient, LiandunNotices],
    };
  }
}
