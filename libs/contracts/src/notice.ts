import type { Shop, SubjectKind } from './payloads.events.js';

export const NOTICE_TYPE = 'liandun.notice.v1';

export const NOTICE_ACTIONS = [
  'close',
  'restrictAdmission',
  'check',
  'protect',
  'registryStatus',
  'reopen',
  'lift',
  'correct',
] as const;
export type NoticeAction = (typeof NOTICE_ACTIONS)[number];

export type MatchGrade = 'exact' | 'strong' | 'possible';

export interface NoticeEntity {
  entityId: string;
  kind: SubjectKind;
  /** An organization's name; of a sole proprietor or a person the first character and two stars. */
  name: string;
  /** Organizations only. */
  uscc?: string;
}

/** What the ledger decided to tell one member; the payload of `notice.issued` besides the member. */
export interface NoticeContent {
  /** `<member>.<seq>` */
  noticeId: string;
  /** Dense per member, from 0. */
  seq: number;
  action: NoticeAction;
  listingId: string;
  /** Whether another listing still covers the merchant. */
  stillListed: boolean;
  entity: NoticeEntity;
  /** The receiver's own ids of the merchant's accounts; empty where it doesn't host the merchant. */
  merchantIds: string[];
  /** The receiver's own shops only. */
  shops: Shop[];
  match: { grade: MatchGrade; because: string[] };
  reason: { code: string; labelZh: string; labelEn: string; legalBasis: string[] };
  tier: number;
  autoClosable: boolean;
  effectiveAt: string;
  expiresAt: string;
  respondBy: string;
}

/** What a subscriber receives as `data` of a CloudEvent of type NOTICE_TYPE, the same on every channel. */
export interface Notice extends NoticeContent {
  /** Of its `notice.issued` entry. */
  position: number;
  /** Of its `notice.issued` entry, base64. */
  leafHash: string;
}
