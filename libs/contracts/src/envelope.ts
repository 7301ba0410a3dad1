/** A CloudEvent 1.0 in structured mode, JSON format. */
export interface CloudEvent<T = unknown> {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  time: string;
  datacontenttype?: 'application/json';
  subject?: string;
  /** The publisher's detached JWS (RFC 7515 appendix F) over id, source, type, time and the committed data. */
  signature?: string;
  /** With a signature over personal values: 32 bytes in base64url, from which the salts of their commitments come. */
  salt?: string;
  data: T;
}

/** RFC 9457, with a stable code and one error for each thing that is wrong. */
export interface Problem {
  type: string;
  title: string;
  /** Set by the HTTP edge alone. */
  status?: number;
  code: string;
  detail: string;
  detailZh: string;
  errors?: FieldError[];
}

export interface FieldError {
  /** RFC 6901, into the submitted document. */
  pointer: string;
  code: string;
  message: string;
  messageZh: string;
  /** When the same would be accepted at the earliest, RFC 3339. */
  notBefore?: string;
}

/** The answer to one submitted event. `leafHash` is base64 of the RFC 6962 leaf hash of its entry. */
export interface Receipt {
  id: string;
  status: 'accepted' | 'held' | 'duplicate' | 'rejected';
  position?: number;
  leafHash?: string;
  /**
   * Of a held case: when it is published unless its subject was heard before (rule P06), RFC 3339, as it was set at first.
   */
  heldUntil?: string;
  /** Of a case over its publisher's limits: it waits for a second person, whatever else it waits for (rule P21). */
  heldBecause?: 'flood';
  /** Of the ending of a decision: nothing rests on its number yet; what is filed on it from now on is refused. */
  nothingToEnd?: true;
  /** Of an A04 with a victim: the entry that protects the victim (V01), accepted with it; withdrawn by this id. */
  victim?: { id: string; position: number; leafHash: string };
  problem?: Problem;
}
