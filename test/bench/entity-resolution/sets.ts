import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { EnglishRecord } from '@liandun/identity';

/** Records with the entity that each is known to be of, which nothing but the measuring sees. */
export interface LabelledSet {
  name: string;
  records: EnglishRecord[];
  truth: Map<string, string>;
}

export const folder = (): string => join(process.env.LIANDUN_SHARED ?? '../shared', 'data/entity-resolution');
/** Whether the sets lie at hand. */
export const atHand = (): boolean => existsSync(join(folder(), 'splink'));

type Row = Record<string, string | null | undefined>;
const given = (value: string | null | undefined): string | undefined =>
  value === null || value === '' ? undefined : value;
/** The same without what is undefined. */
const filled = (record: Record<string, unknown>): EnglishRecord =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as unknown as EnglishRecord;
const some = (value: string | undefined): string[] | undefined => (value === undefined ? undefined : [value]);

/** 50,578 records of historical figures. */
export async function historical(): Promise<LabelledSet> {
  const file = await asyncBufferFromFile(join(folder(), 'splink/historical_figures_with_errors_50k.parquet'));
  const rows = (await parquetReadObjects({ file })) as Row[];
  const records = rows.map((row) => {
    const [full, postcode] = [given(row.full_name), given(row.postcode_fake)];
    return filled({
      recordId: row.unique_id,
      kind: 'person',
      names: full === undefined ? [] : [{ full }],
      births: some(given(row.dob)),
      birthPlace: given(row.birth_place),
      addresses: postcode === undefined ? undefined : [{ postcode }],
      gender: given(row.gender),
      occupation: given(row.occupation),
    });
  });
  return {
    name: 'historical 50k',
    records,
    truth: new Map(rows.map((row) => [row.unique_id as string, row.cluster as string])),
  };
}

/** Febrl's sets: 3 alone, or 4 in its two files. */
export function febrl(name: string, files: readonly string[]): LabelledSet {
  const rows = files.flatMap(
    (file) =>
      parse(readFileSync(join(folder(), 'splink', file)), {
        columns: (heads: string[]) => heads.map((head) => head.trim()),
        trim: true,
      }) as Row[],
  );
  const records = rows.map((row) =>
    filled({
      recordId: row.rec_id,
      kind: 'person',
      names: [filled({ given: given(row.given_name), surname: given(row.surname) })],
      births: some(given(row.date_of_birth)),
      addresses: [
        filled({
          text: [row.street_number, row.address_1, row.address_2].join(' '),
          city: given(row.suburb),
          postcode: given(row.postcode),
        }),
      ],
      numbers: row.soc_sec_id ? [{ kind: 'ssn', value: row.soc_sec_id }] : undefined,
    }),
  );
  return {
    name,
    records,
    truth: new Map(rows.map((row) => [row.rec_id as string, /^rec-\d+/.exec(row.rec_id as string)?.[0] as string])),
  };
}

type Feature = Record<string, string>;
const NUMBERS = {
  SSN: 'ssn',
  PASSPORT: 'passport',
  DRIVERS_LICENSE: 'licence',
  NATIONAL_ID: 'national',
  TAX_ID: 'tax',
  LEI: 'lei',
};

function senzingRecord(id: string, features: readonly Feature[]): EnglishRecord {
  const all = (name: string): string[] => features.flatMap((feature) => feature[name] ?? []);
  const numbers = Object.entries(NUMBERS).flatMap(([prefix, kind]) =>
    features.flatMap((feature) => {
      const value = feature[`${prefix}_NUMBER`];
      return value === undefined
        ? []
        : [{ kind, issuer: feature[`${prefix}_COUNTRY`] ?? feature[`${prefix}_STATE`] ?? '', value }];
    }),
  );
  const names = features.filter((feature) => Object.keys(feature).some((key) => key.startsWith('NAME_')));
  const addresses = features.filter((feature) => Object.keys(feature).some((key) => key.startsWith('ADDR_')));
  return filled({
    recordId: id,
    kind: all('RECORD_TYPE')[0] === 'ORGANIZATION' ? 'organization' : 'person',
    names: names.map((name) =>
      filled({
        full: name.NAME_FULL ?? name.NAME_ORG,
        given: name.NAME_FIRST,
        middle: name.NAME_MIDDLE,
        surname: name.NAME_LAST,
      }),
    ),
    births: all('DATE_OF_BIRTH'),
    gender: all('GENDER')[0],
    employer: all('EMPLOYER')[0],
    addresses: addresses.map((address) =>
      filled({
        text: address.ADDR_FULL ?? address.ADDR_LINE1,
        city: address.ADDR_CITY,
        state: address.ADDR_STATE,
        postcode: address.ADDR_POSTAL_CODE,
      }),
    ),
    phones: all('PHONE_NUMBER'),
    emails: all('EMAIL_ADDRESS'),
    numbers,
  });
}

/** Senzing's truth set: customers, a watchlist and a reference list. */
export function senzing(): LabelledSet {
  const dir = join(folder(), 'senzing');
  const records = ['customers', 'watchlist', 'reference'].flatMap((file) =>
    readFileSync(join(dir, `${file}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { DATA_SOURCE: string; RECORD_ID: string; FEATURES: Feature[] })
      .map(({ DATA_SOURCE, RECORD_ID, FEATURES }) => senzingRecord(`${DATA_SOURCE} ${RECORD_ID}`, FEATURES)),
  );
  const key = parse(readFileSync(join(dir, 'actual_truthset_key.csv')), { columns: true }) as Row[];
  return {
    name: 'senzing',
    records,
    truth: new Map(key.map((row) => [`${row.DATA_SOURCE ?? ''} ${row.RECORD_ID ?? ''}`, row.CLUSTER_ID as string])),
  };
}
