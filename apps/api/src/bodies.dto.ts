// The bodies of membership changes, one class each; events have theirs in libs/contracts.
import {
  BASIS_KINDS,
  LIMIT_MAX,
  MEMBER_ROLES,
  SIGNATURE_POLICIES,
  type BasisKind,
  type MemberRole,
  type SignaturePolicy,
} from '@liandun/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  Matches,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

/** Left out, never null: what is null would be stored as said (class-validator's IsOptional takes it). */
const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);

const COORDINATE = /^[A-Za-z0-9_-]{43}$/;

/** A public key as a JWK (RFC 7517, RFC 8037): Ed25519 or P-256. A private member is refused as an unknown field. */
export class MemberKeyBody {
  @Matches(/^[A-Za-z0-9._~-]{1,64}$/)
  kid: string;

  @IsIn(['OKP', 'EC'])
  kty: 'OKP' | 'EC';

  @IsIn(['Ed25519', 'P-256'])
  crv: 'Ed25519' | 'P-256';

  @Matches(COORDINATE)
  x: string;

  @ValidateIf(({ kty }: MemberKeyBody) => kty === 'EC')
  @Matches(COORDINATE)
  y?: string;

  @MayBeLeftOut()
  @IsIn(['EdDSA', 'Ed25519', 'ES256'])
  alg?: string;

  @MayBeLeftOut()
  @IsIn(['sig'])
  use?: string;
}

export class SubscriptionBody {
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(4)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(3, { each: true })
  tiers?: number[];

  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @Matches(/^[A-Z]\d{2}$/, { each: true })
  codes?: string[];

  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(3)
  @ArrayUnique()
  @IsIn(['organization', 'soleProprietor', 'person'], { each: true })
  kinds?: string[];

  @MayBeLeftOut()
  @IsBoolean()
  riskEntities?: boolean;
}

/** An opaque id of a paper: no text. */
const PAPER_ID = /^[A-Za-z0-9._~:/-]{1,64}$/;

export class BasisBody {
  @IsIn(BASIS_KINDS)
  kind: BasisKind;

  /** An article has Chinese characters; no line breaks or controls. */
  @Matches(/^(?=\S)[^\p{C}]{1,120}$/u)
  ref: string;
}

const Based = (): PropertyDecorator => (target, name) => {
  for (const decorate of [MayBeLeftOut(), IsObject(), ValidateNested(), Type(() => BasisBody)]) decorate(target, name);
};

/** One for each of DISCLOSED_FIELDS. */
export class BasesBody {
  @Based()
  organization?: BasisBody;

  @Based()
  person?: BasisBody;

  @Based()
  match?: BasisBody;

  @Based()
  reason?: BasisBody;

  @Based()
  screening?: BasisBody;
}

export class AgreementBody {
  @Matches(PAPER_ID)
  contractId: string;

  @Matches(PAPER_ID)
  assessmentId: string;

  @IsDefined()
  assessedUntil: string;

  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => BasesBody)
  bases: BasesBody;
}

export class AgreementChangeBody {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => AgreementBody)
  agreement: AgreementBody;
}

/** Rule P21. One that is left out holds everything that the member files. */
export class LimitsBody {
  @MayBeLeftOut()
  @IsNumber()
  @Min(0)
  @Max(LIMIT_MAX)
  timesMean?: number;

  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(LIMIT_MAX)
  subjectsPerHour?: number;
}

export class MemberAdmissionBody {
  @Matches(/^[a-z][a-z0-9-]{1,30}[a-z0-9]$/)
  memberId: string;

  @Matches(/^(?=.*\S)[^\p{C}]{1,100}$/u)
  name: string;

  @IsIn(MEMBER_ROLES)
  role: MemberRole;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => MemberKeyBody)
  keys: MemberKeyBody[];

  @MayBeLeftOut()
  @IsObject()
  @ValidateNested()
  @Type(() => SubscriptionBody)
  subscription?: SubscriptionBody;

  /** Without one the member is told nothing (rule P16). */
  @MayBeLeftOut()
  @IsObject()
  @ValidateNested()
  @Type(() => AgreementBody)
  agreement?: AgreementBody;

  /** The standard ones where they aren't stated. */
  @MayBeLeftOut()
  @IsObject()
  @ValidateNested()
  @Type(() => LimitsBody)
  limits?: LimitsBody;
}

export class LimitsChangeBody {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => LimitsBody)
  limits: LimitsBody;
}

export class KeyAdditionBody {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => MemberKeyBody)
  key: MemberKeyBody;
}

export class KeyRevocationBody {
  /** The key stops at once; the second administrator confirms it. */
  @MayBeLeftOut()
  @IsBoolean()
  emergency?: boolean;
}

export class SubscriptionChangeBody {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => SubscriptionBody)
  subscription: SubscriptionBody;
}

export class SignaturesChangeBody {
  @IsIn(SIGNATURE_POLICIES)
  signatures: SignaturePolicy;
}
