import {
  NOTICE_ERASED_TYPE,
  NOTICE_TYPE,
  SCREENING_MATCHED_TYPE,
  type CloudEvent,
  type ErasedNotices,
  type MatchedScreening,
  type Notice,
} from '@liandun/contracts';
import { LiandunError } from './errors.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Check = (value) => typeof value === 'boolean';
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const each =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

// What the SDK relies on. Fields that a later ledger adds are let through.
const FIELDS: Record<Exclude<keyof Notice, 'noticeId' | 'seq' | 'erased' | 'victimProtected' | 'status'>, Check> = {
  // A later ledger may say something new: the handler gets it, and nothing behind it waits.
  action: isText,
  listingId: isText,
  stillListed: isFlag,
  merchantIds: isTexts,
  entity: each({ entityId: isText, kind: isText, name: isText }),
  shops: listOf(each({ shopId: isText })),
  match: each({ grade: isText, because: isTexts }),
  reason: each({ code: isText, labelZh: isText, labelEn: isText, legalBasis: isTexts }),
  tier: isCount,
  autoClosable: isFlag,
  effectiveAt: isTime,
  expiresAt: isTime,
  respondBy: isTime,
  position: isCount,
  leafHash: isText,
};

/**
 * Checks that `value` is a notice to `memberId`: type, receiver and number in agreement, and every field in shape.
 * Throws MALFORMED_NOTICE, naming the field.
 */
export function checkNotice(value: unknown, memberId: string): CloudEvent<Notice> {
  if (!isObject(value) || value.specversion !== '1.0' || value.type !== NOTICE_TYPE) {
    throw new LiandunError('MALFORMED_NOTICE', `Not a CloudEvent of type ${NOTICE_TYPE}`);
  }
  const data = value.data;
  if (!isObject(data)) throw new LiandunError('MALFORMED_NOTICE', 'A notice without data');
  if (!isCount(data.seq)) throw new LiandunError('MALFORMED_NOTICE', 'seq is not a number from 0');
  if (data.noticeId !== `${memberId}.${data.seq as number}`) {
    throw new LiandunError('MALFORMED_NOTICE', `noticeId is not that of ${memberId} and seq`);
  }
  for (const [name, check] of Object.entries(FIELDS)) {
    if (!check(data[name])) throw new LiandunError('MALFORMED_NOTICE', `${name} is missing or malformed`);
  }
  return value as unknown as CloudEvent<Notice>;
}

/** Checks that `value` names notices to `memberId` whose person was erased. Throws MALFORMED_NOTICE. */
export function checkErased(value: unknown, memberId: string): ErasedNotices {
  const data = isObject(value) && value.type === NOTICE_ERASED_TYPE ? value.data : undefined;
  const isOwn: Check = (id) => typeof id === 'string' && id.startsWith(`${memberId}.`);
  if (!isObject(data) || !isCount(data.no) || !listOf(isOwn)(data.noticeIds))
    throw new LiandunError('MALFORMED_NOTICE', `Not a CloudEvent of type ${NOTICE_ERASED_TYPE} to ${memberId}`);
  return data as unknown as ErasedNotices;
}

/** Checks that `value` tells of a later match of an inquiry. Throws MALFORMED_NOTICE. */
export function checkMatched(value: unknown): MatchedScreening {
  const data = isObject(value) && value.type === SCREENING_MATCHED_TYPE ? value.data : undefined;
  if (!isObject(data) || !isCount(data.no) || ![data.screeningId, data.listingId, data.grade].every(isText))
    throw new LiandunError('MALFORMED_NOTICE', `Not a CloudEvent of type ${SCREENING_MATCHED_TYPE}`);
  return data as unknown as MatchedScreening;
}
