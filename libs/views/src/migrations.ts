import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CreateBreaker1763900100000 } from './breaker.js';
import { CreateBudgets1763900000000 } from './budgets.js';
import { identityLinksProjection } from './identity-links.js';
import { ledgerViewDdl } from './ledger-ddl.js';

/** The tables that the ledger's readers fold from the log; everything here can be rebuilt from it. */
export class CreateLedgerViews1763800000000 implements MigrationInterface {
  name = 'CreateLedgerViews1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ledgerViewDdl('view'));
    await runner.query(identityLinksProjection.ddl('identity'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema view cascade; drop schema identity cascade');
  }
}

export const VIEW_MIGRATIONS = [CreateLedgerViews1763800000000, CreateBudgets1763900000000, CreateBreaker1763900100000];
