// Which addresses a member may have the ledger call: OWASP API7:2023, server-side request forgery.
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { isLoopback } from '@liandun/tls';
import ipaddr from 'ipaddr.js';

export interface Address {
  address: string;
  family: number;
}

/** Every address of a name; rejects where there is none. */
export type Resolve = (hostname: string) => Promise<Address[]>;

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** What may be called besides public addresses: networks in CIDR notation, none for most ledgers. Throws Error that names the faulty one. */
export function parseNetworks(text: string): Range[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => {
      try {
        return ipaddr.parseCIDR(each);
      } catch {
        throw new Error(`${each} is no network: write it as 10.1.0.0/16 or fd00:1::/32`);
      }
    });
}

// Global unicast; in it what is special (IANA IPv6 Special-Purpose Address Registry) is told apart by ipaddr.js.
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/**
 * Whether webhooks may go to an address: a public one, or one in a network that the operator allows. An address of IPv4 within IPv6 is
 * looked at as IPv4; what is no address is refused.
 */
export function mayCall(address: string, allowed: readonly Range[]): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.process(address);
  if (allowed.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))) return true;
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST);
}

/** The host of a URL as an address, where it is one. */
const literalOf = ({ hostname }: URL): string | undefined => {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
};

/**
 * Whether an endpoint may be called at all, before its name is resolved: https, without user or password; in the clear only on
 * loopback, where the operator allows that.
 */
export function mayBeEndpoint(text: string, allowed: readonly Range[]): boolean {
  const url = URL.parse(text);
  if (!url || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  const literal = literalOf(url);
  if (literal !== undefined && !mayCall(literal, allowed)) return false;
  if (url.protocol === 'https:') return true;
  const local = literal ?? '127.0.0.1';
  return url.protocol === 'http:' && isLoopback(url.hostname) && mayCall(local, allowed);
}

/** A name resolved to an address that may not be called. */
export class NotPublicError extends Error {
  override readonly name = 'NotPublicError';
  readonly code = 'ADDRESS_NOT_PUBLIC';
}

/**
 * For net.connect: what is connected to is what was looked at, so a name that resolves to another address a moment later gains nothing.
 * One address among several that may not be called refuses all.
 */
export function guardedLookup(resolve: Resolve, allowed: readonly Range[]): LookupFunction {
  const look = callbackify(async (hostname: string): Promise<[Address, ...Address[]]> => {
    const [first, ...rest] = await resolve(hostname);
    if (!first || [first, ...rest].some(({ address }) => !mayCall(address, allowed)))
      throw new NotPublicError(`${hostname} is not on a public address`);
    return [first, ...rest];
  });
  return (hostname, { all }, callback) =>
    look(hostname, (error, addresses) => {
      if (error) return callback(error, []);
      const [{ address, family }] = addresses;
      return all ? callback(null, addresses) : callback(null, address, family);
    });
}
