import { at, find, fingerprintOf, readAs, readStream, streamVersion, type ReadingCaller } from '@liandun/event-log';
import type { IntakeReads } from '@liandun/intake';
import type pg from 'pg';

/** What the api reads for a caller: the database shows it what that one may see, whatever a query asks for. */
export class Reads {
  constructor(private readonly pool: pg.Pool) {}

  /** Work on a connection that reads in the caller's name; see `readAs`. */
  as<T>(caller: ReadingCaller, work: (db: pg.ClientBase) => Promise<T>): Promise<T> {
    return readAs(this.pool, caller, work);
  }

  /** The log, as far as the caller may see it. */
  log(caller: ReadingCaller): IntakeReads {
    return {
      at: (position) => this.as(caller, (db) => at(db, position)),
      find: (source, id) => this.as(caller, (db) => find(db, source, id)),
      fingerprintOf: (source, id) => this.as(caller, (db) => fingerprintOf(db, source, id)),
      readStream: (stream, range) => this.as(caller, (db) => readStream(db, stream, range)),
      streamVersion: (stream) => this.as(caller, (db) => streamVersion(db, stream)),
    };
  }
}
