import { EventLog } from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import { HaltWatch } from '@liandun/tlog';
import { Vault } from '@liandun/vault';
import { FollowedReasonCodes } from '@liandun/views';
import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import pg from 'pg';
import { AppealsController } from './appeals.controller.js';
import { Apart } from './apart.js';
import { Appeals } from './appeals.js';
import { DocumentsController } from './documents.controller.js';
import { erasureHandlers } from './erasure.js';
import { ErasuresController } from './erasures.controller.js';
import { Erasures } from './erasures.js';
import { EventsController } from './events.controller.js';
import { Enumeration } from './enumeration.js';
import { FloodsController } from './floods.controller.js';
import { GuardedLog } from './guarded-log.js';
import { Identifications } from './identifications.js';
import { Malice } from './malice.js';
import { LedgerWriter } from './ledger-writer.js';
import { LogController } from './log.controller.js';
import { MemberKeysController } from './member-keys.controller.js';
import { MembersController } from './members.controller.js';
import { membershipHandlers } from './membership.js';
import { Metrics } from './metrics.js';
import { NoticesController } from './notices.controller.js';
import { OAuthController } from './oauth.controller.js';
import { PageController } from './page.controller.js';
import { Door } from './pools.js';
import { PreviewController } from './preview.controller.js';
import { PublishersController } from './publishers.controller.js';
import { PublicController } from './public.controller.js';
import { QueriesController } from './queries.controller.js';
import { RateLimits } from './rate-limits.js';
import { Reads } from './reads.js';
import { reasonCodeHandlers } from './reason-code-change.js';
import { ReasonCodesController } from './reason-codes.controller.js';
import { ReasonCodes } from './reason-codes.js';
import { ReceiptsController } from './receipts.controller.js';
import { reviewHandlers } from './review.js';
import { ReviewsController } from './reviews.controller.js';
import { Reviews } from './reviews.js';
import { ScreeningsController } from './screenings.controller.js';
import { Screenings } from './screenings.js';
import { Settings } from './settings.js';
import { StatisticsController } from './statistics.controller.js';
import { StatementsController } from './statements.controller.js';
import { Subjects } from './subjects.js';
import { Tokens } from './tokens.js';
import { WebhookController } from './webhook.controller.js';

/** What the controllers share, made before Nest starts. */
export interface Parts {
  /** Of liandun_api: without a caller's name it shows nothing that belongs to anybody. */
  own: pg.Pool;
  door: Door;
  reads: Reads;
  log: GuardedLog;
  vault: Vault;
  intake: Intake;
  codes: FollowedReasonCodes;
  tokens: Tokens;
  identifications: Identifications;
  writer: LedgerWriter;
  metrics: Metrics;
  rates: RateLimits;
  enumeration: Enumeration;
  halts: HaltWatch;
  settings: Settings;
}

const CONTROLLERS = [
  OAuthController,
  EventsController,
  PreviewController,
  PublishersController,
  NoticesController,
  QueriesController,
  ScreeningsController,
  WebhookController,
  MembersController,
  MemberKeysController,
  ReasonCodesController,
  FloodsController,
  ErasuresController,
  ReviewsController,
  AppealsController,
  ReceiptsController,
  LogController,
  StatementsController,
  PublicController,
  StatisticsController,
  PageController,
  DocumentsController,
];

const HANDLERS = [...membershipHandlers, ...erasureHandlers, ...reviewHandlers, ...reasonCodeHandlers];

@Module({})
export class ApiModule {
  static of({
    own,
    door,
    reads,
    log,
    vault,
    intake,
    codes,
    tokens,
    identifications,
    writer,
    metrics,
    rates,
    enumeration,
    halts,
    settings,
  }: Parts): DynamicModule {
    return {
      module: ApiModule,
      imports: [CqrsModule.forRoot()],
      controllers: CONTROLLERS,
      providers: [
        { provide: pg.Pool, useValue: own },
        { provide: Door, useValue: door },
        { provide: Reads, useValue: reads },
        { provide: Settings, useValue: settings },
        { provide: EventLog, useValue: log },
        { provide: Vault, useValue: vault },
        { provide: Intake, useValue: intake },
        { provide: FollowedReasonCodes, useValue: codes },
        { provide: Tokens, useValue: tokens },
        { provide: Identifications, useValue: identifications },
        { provide: LedgerWriter, useValue: writer },
        { provide: Metrics, useValue: metrics },
        { provide: RateLimits, useValue: rates },
        { provide: Enumeration, useValue: enumeration },
        { provide: HaltWatch, useValue: halts },
        Erasures,
        Screenings,
        Subjects,
        Reviews,
        Apart,
        ReasonCodes,
        Appeals,
        Malice,
        ...HANDLERS,
      ],
    };
  }
}
