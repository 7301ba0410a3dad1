import { FICTIONAL_REGION, makeUscc, type Identity, type MerchantReported } from '@liandun/contracts';

/** The reasons of February 2020, each with its share of the 70 records. */
export const REASONS = ['F04', 'E01', 'C06'] as const;
/** Of tier 1: what a publisher finds counts so whatever its record of errors is (rule P19). */
export const SUREST_REASONS = ['F04', 'C06'] as const;
export type Reason = (typeof REASONS)[number];

/** A merchant as one platform knows it. */
export type Instance = MerchantReported & { platform: string; openOrders: number; keepsOpen: boolean };

/** One shared record: the merchant at the platform that clears it out, and wherever else it has shops. */
export interface SharedRecord {
  reason: Reason;
  own: Instance;
  elsewhere: Instance[];
  /** Nobody is told of a person or a sole proprietor where it has no shop. */
  isOrganization: boolean;
}

export interface Cast {
  records: SharedRecord[];
  /** Merchants that nobody lists, some with the name of one that is: they must stay open. */
  bystanders: Instance[];
  /** The record whose merchant turns out to be somebody else. */
  mistaken: SharedRecord;
  /** His phone, as his platforms know it. */
  phone: string;
}

const RECORDS_OF = { a: 20, b: 16, c: 14, d: 11, e: 9 } as const; // 70
const ON_TWO_OTHERS = 3; // these and
const ON_ONE_OTHER = 21; // these make 27 instances elsewhere
const BYSTANDERS = 30;
const NAMESAKES = 5;
/** Which record's merchant turns out to be somebody else: one with shops on two other platforms. */
const MISTAKEN = 0;

const PLACES = [
  '蓝溪',
  '青禾',
  '云杉',
  '临川',
  '望湖',
  '锦川',
  '北辰',
  '听雨',
  '南屏',
  '松涛',
  '石桥',
  '金麦',
  '白鹿',
  '长堤',
];
const TRADES = ['防护', '百货', '健康', '医械', '家居'];

const pick = <T>(list: readonly T[], at: number): T => {
  const item = list[at % list.length];
  if (item === undefined) throw new RangeError('an empty list');
  return item;
};

/** Five characters of the alphabet of GB 32100: enough that two runs on one ledger don't meet. */
export function newRunId(random: () => number = Math.random): string {
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
  return Array.from({ length: 5 }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
}

/** A number of a series that only tests use here, another for each run. */
const phoneOf = (run: string): string =>
  `1390000${String([...run].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 10_000, 7)).padStart(4, '0')}`;

/**
 * Fictional merchants of one run; the same run id gives the same cast.
 * @param reasons for what they are listed, in turn
 */
export function castOf(run: string, reasons: readonly SharedRecord['reason'][] = REASONS): Cast {
  const phone = phoneOf(run);
  const platforms = Object.keys(RECORDS_OF).map((letter) => `platform-${letter}`);
  const sources = Object.entries(RECORDS_OF).flatMap(([letter, n]) => Array<string>(n).fill(`platform-${letter}`));
  const at = (platform: string, no: number, identity: Identity, shops: number): Instance => {
    const id = `${run}-${String(no).padStart(3, '0')}`;
    return {
      platform,
      merchantId: `m-${id}`,
      identity,
      shops: Array.from({ length: shops }, (_, i) => ({
        shopId: `s-${id}-${i + 1}`,
        name: `${identity.name.slice(2, 8)}${i === 0 ? '旗舰店' : '专营店'}`,
        url: `https://${platform}.example/shops/s-${id}-${i + 1}`,
      })),
      status: 'active',
      openOrders: (no * 7) % 5,
      keepsOpen: false,
    };
  };
  const records = sources.map((platform, no): SharedRecord => {
    const identity = { ...identityOf(run, no), ...(no === MISTAKEN && { phones: [phone] }) };
    const others = platforms.filter((other) => other !== platform);
    const count = no % 3 !== 0 ? 0 : no < 3 * ON_TWO_OTHERS ? 2 : no < 3 * (ON_TWO_OTHERS + ON_ONE_OTHER) ? 1 : 0;
    const elsewhere = Array.from({ length: count }, (_, i) =>
      at(pick(others, Math.floor(no / 3) + i), no, identity, 1 + (no % 2)),
    );
    const isOrganization = identity.kind === 'organization';
    return { reason: pick(reasons, Math.floor(no / 2)), own: at(platform, no, identity, 1), elsewhere, isOrganization };
  });
  const bystanders = Array.from({ length: BYSTANDERS }, (_, i) => {
    const no = sources.length + i;
    return at(pick(platforms, i), no, identityOf(run, no, i < NAMESAKES ? nameOf(i * 3) : undefined), 1);
  });
  const matched = records.filter(({ elsewhere }) => elsewhere.length > 0);
  const mistaken = records[MISTAKEN];
  const kept = matched.at(-1)?.elsewhere[0];
  if (!mistaken || !kept) throw new RangeError('nobody is on two platforms');
  kept.keepsOpen = true;
  return { records, bystanders, mistaken, phone };
}

const nameOf = (no: number): string => `示例${pick(PLACES, no)}${pick(TRADES, Math.floor(no / 3))}公司`;

/** Every tenth merchant is a sole proprietor: it matches as surely, but is nobody else's business. */
function identityOf(run: string, no: number, name = nameOf(no)): Identity {
  const serial = `${run}${String(no).padStart(3, '0')}`;
  if (no % 10 === 4) {
    const firm = `示例${pick(PLACES, no)}${pick(TRADES, no)}商行`;
    return { kind: 'soleProprietor', name: firm, uscc: makeUscc(FICTIONAL_REGION, serial, 'soleProprietor') };
  }
  return { kind: 'organization', name, uscc: makeUscc(FICTIONAL_REGION, serial) };
}
