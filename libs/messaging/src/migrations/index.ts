import type { MigrationClass } from '@liandun/event-log';
import { CreateRelay1760000400000 } from './1760000400000-create-relay.js';

/** The tables of schema `relay`, in order. */
export const MESSAGING_MIGRATIONS: MigrationClass[] = [CreateRelay1760000400000];
