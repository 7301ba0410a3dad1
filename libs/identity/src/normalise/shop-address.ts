import { parse as parseHost } from 'tldts';
import { SHOP_PLATFORMS } from '../../data/shop-platforms.js';

export type ShopAddressReading =
  | {
      status: 'shop';
      /** `taobao`, `tmall`, `jd`, `pinduoduo`, `douyin` …; of a site of its own its registrable domain. */
      platform: string;
      /** The shop's id or name on that platform: two addresses of one shop give the same. */
      shopId: string;
    }
  /** A merchant's own site: the domain is the account. */
  | { status: 'site'; domain: string }
  /** A platform's page that names no shop (an item, a search). */
  | { status: 'page'; platform: string }
  | { status: 'invalid'; text: string };

interface Platform {
  platform: string;
  hosts: RegExp;
  shops: RegExp;
}

let platforms: Platform[] | undefined;

const readPlatforms = (): Platform[] =>
  SHOP_PLATFORMS.trim()
    .split('\n')
    .map((line) => {
      const [platform = '', hosts = '', shops = ''] = line.split(/\s+/);
      return { platform, hosts: new RegExp(`(?:^|\\.)(?:${hosts})$`), shops: new RegExp(shops, 'i') };
    });

/** Who a shop's URL belongs to: platform and shop id by the platform's URL patterns, else the site's own domain. */
export function readShopAddress(input: string): ShopAddressReading {
  const text = input.normalize('NFKC').replaceAll(/[\s\p{Cf}]/gu, '');
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  } catch {
    return { status: 'invalid', text };
  }
  const host = url.hostname.replace(/^www\./, '');
  platforms ??= readPlatforms();
  const known = platforms.find(({ hosts }) => hosts.test(host));
  if (known) {
    const match = known.shops.exec(`${host}${decoded(url.pathname)}${url.search}${url.hash}`);
    const shopId = match?.slice(1).find(Boolean);
    return shopId
      ? { status: 'shop', platform: known.platform, shopId: shopId.toLowerCase() }
      : { status: 'page', platform: known.platform };
  }
  const { domain, isIp } = parseHost(host);
  if (!domain || isIp) return { status: 'invalid', text };
  return { status: 'site', domain };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
