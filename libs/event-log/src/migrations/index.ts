import type { MigrationClass } from '../migrate.js';
import { CreateLog1760000000000 } from './1760000000000-log.js';

/** The log's own migrations, oldest first. A released one is never edited. */
export const EVENT_LOG_MIGRATIONS: MigrationClass[] = [CreateLog1760000000000];
