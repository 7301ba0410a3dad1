import { describe, expect, test } from '@jest/globals';
import { guardedLookup, mayBeEndpoint, mayCall, parseNetworks, type Address } from './address.js';

const NONE = parseNetworks('');
const LOOPBACK = parseNetworks('127.0.0.0/8,::1/128');

describe('addresses that webhooks never go to', () => {
  test.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['all of loopback', '127.255.255.254'],
    ['private, RFC 1918', '10.0.0.1'],
    ['private, RFC 1918', '172.16.0.1'],
    ['private, RFC 1918', '172.31.255.255'],
    ['private, RFC 1918', '192.168.1.1'],
    ['shared, RFC 6598', '100.64.0.1'],
    ['link-local, where clouds keep their metadata', '169.254.169.254'],
    ['protocol assignments', '192.0.0.8'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.7'],
    ['documentation', '203.0.113.9'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped private, in hex', '::ffff:a00:1'],
    ['IPv4-compatible, deprecated', '::10.0.0.1'],
    ['NAT64, which leads into IPv4', '64:ff9b::a00:1'],
    ['NAT64 of a local prefix', '64:ff9b:1::a00:1'],
    ['discard', '100::1'],
    ['Teredo', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['6to4, which leads into IPv4', '2002:a00:1::1'],
    ['unique local', 'fd00::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local, deprecated', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['outside global unicast', '4000::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('%s: %s', (_, address) => {
    expect(mayCall(address, NONE)).toBe(false);
  });

  test.each([
    '1.1.1.1',
    '223.5.5.5',
    '172.32.0.1',
    '100.128.0.1',
    '::ffff:1.1.1.1',
    '2400:3200::1',
    '2606:4700:4700::1111',
  ])('%s is public', (address) => {
    expect(mayCall(address, NONE)).toBe(true);
  });

  test('an operator may allow networks, and only those', () => {
    const allowed = parseNetworks(' 10.1.0.0/16, fd00:1::/32 ');
    expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5'].map((address) => mayCall(address, allowed))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['10.2.0.1', 'fd00:2::5', '127.0.0.1'].map((address) => mayCall(address, allowed))).toEqual([
      false,
      false,
      false,
    ]);
    expect(() => parseNetworks('10.1.0.0/16,everything')).toThrow('everything is no network');
  });
});

describe('what may be set as an endpoint', () => {
  test.each([
    'https://shop.example/hooks',
    'https://shop.example:8443/hooks?tenant=1',
    'https://1.1.1.1/hooks',
    'https://[2400:3200::1]/hooks',
  ])('%s', (url) => expect(mayBeEndpoint(url, NONE)).toBe(true));

  test.each([
    ['in the clear', 'http://shop.example/hooks'],
    ['another scheme', 'ftp://shop.example/hooks'],
    ['a file', 'file:///etc/passwd'],
    ['a user and a password', 'https://user:pw@shop.example/'],
    ['a fragment', 'https://shop.example/#here'],
    ['no URL', 'shop.example'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback as one number', 'https://2130706433/'],
    ['loopback in hex', 'https://0x7f.1/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback in full width', 'https://１２７.０.０.１/'],
    ['loopback by IPv6', 'https://[::1]/'],
    ['loopback mapped', 'https://[::ffff:7f00:1]/'],
    ['metadata of a cloud', 'https://169.254.169.254/latest/meta-data/'],
    ['loopback in the clear', 'http://127.0.0.1:8080/'],
  ])('not %s: %s', (_, url) => expect(mayBeEndpoint(url, NONE)).toBe(false));

  test('in the clear on loopback only where the operator allows loopback', () => {
    expect(mayBeEndpoint('http://127.0.0.1:8080/hooks', LOOPBACK)).toBe(true);
    expect(mayBeEndpoint('http://localhost:8080/hooks', LOOPBACK)).toBe(true);
    expect(mayBeEndpoint('http://shop.example/hooks', LOOPBACK)).toBe(false);
    expect(mayBeEndpoint('http://10.1.0.1/hooks', parseNetworks('10.0.0.0/8'))).toBe(false);
  });
});

describe('a name is looked at where it is resolved, just before the connection', () => {
  const look = (answer: string[], all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const addresses: Address[] = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      guardedLookup(() => Promise.resolve(addresses), NONE)('shop.example', { all }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });

  test('the addresses that were looked at are those that are given', async () => {
    expect(await look(['1.1.1.1', '2400:3200::1'], true)).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2400:3200::1', family: 6 },
    ]);
    expect(await look(['1.1.1.1'], false)).toBe('1.1.1.1');
  });

  test.each([[['1.1.1.1', '10.0.0.1']], [['::1']], [[]]])('%j is refused whole', async (answer) => {
    await expect(look(answer, true)).rejects.toMatchObject({ code: 'ADDRESS_NOT_PUBLIC' });
  });
});
