import type { Agreement, Basis } from '@liandun/contracts';

const article = (ref: string): Basis => ({ kind: 'article', ref });

/** A fictional agreement under which a member may be told everything (rule P16). */
export const AGREEMENT: Agreement = {
  contractId: 'TEST-CONTRACT-1',
  assessmentId: 'TEST-PIA-1',
  assessedUntil: '2099-12-31T23:59:59.000+08:00',
  bases: {
    organization: article('电子商务法 第29条'),
    person: article('个人信息保护法 第13条'),
    match: article('个人信息保护法 第8条'),
    reason: article('电子商务法 第29条'),
    screening: article('电子商务法 第27条'),
  },
};
