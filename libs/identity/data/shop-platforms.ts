/**
 * How the platforms' shop addresses look: `<platform> <hosts> <pattern over host, path, query and hash>`, the first group that
 * matches being the shop's id. From the addresses that the platforms' own pages carry.
 */
export const SHOP_PLATFORMS = `
taobao taobao\\.com ^(?:shop(\\d+)\\.|(?!www\\.|s\\.|item\\.|detail\\.|m\\.|h5\\.|store\\.|shop\\.|market\\.)([a-z0-9-]+)\\.(?:m\\.)?taobao\\.com)|[?&](?:shop_?id|shopId|user_?number_?id|userId|sellerId)=(\\d+)
tmall tmall\\.com|tmall\\.hk ^(?!www\\.|detail\\.|list\\.|m\\.|pages\\.|chaoshi\\.)([a-z0-9-]+)\\.(?:m\\.)?(?:world\\.)?tmall\\.(?:com|hk)|[?&](?:shop_?id|shopId|user_?number_?id|userId|sellerId)=(\\d+)
1688 1688\\.com ^(?:shop([a-z0-9]+)\\.|(?!www\\.|detail\\.|s\\.|m\\.|winport\\.)([a-z0-9-]+)\\.1688\\.com)|/winport/([\\w-]+)|[?&]memberId=([\\w-]+)
jd jd\\.com|jd\\.hk|jkcsjd\\.com ^(?:mall|shop|shop\\.m)\\.jd\\.(?:com|hk)/(?:index-|shop/home/)?([\\w-]+?)(?:\\.html)?(?:[?#]|$)|[?&](?:shop_?id|venderId)=(\\d+)
pinduoduo yangkeduo\\.com|pinduoduo\\.com [?&](?:mall_id|msn|mallId)=([\\w-]+)
douyin douyin\\.com|jinritemai\\.com|iesdouyin\\.com|snssdk\\.com [?&](?:shop_?id|id|sec_shop_id)=([\\w-]+)|/(?:user|share/user|shop|live)/([\\w-]+)|^live\\.douyin\\.com/(\\d+)
kuaishou kuaishou\\.com|kwaixiaodian\\.com|gifshow\\.com /(?:profile|u|live)/([\\w-]+)|[?&](?:shopId|userId|sellerId|id)=([\\w-]+)
xiaohongshu xiaohongshu\\.com|xhslink\\.com /(?:user/profile|vendor|shop|store|seller)/([\\w-]+)|[?&](?:seller_?id|sellerId)=([\\w-]+)
weidian weidian\\.com|koudai\\.com ^(?:shop|v)?(\\d{5,})\\.(?:v\\.)?weidian\\.com|[?&](?:userid|userId|shopId)=(\\d+)
youzan youzan\\.com|koudaitong\\.com ^shop(\\d+)\\.|[?&](?:kdt_id|alias)=([\\w-]+)
vipshop vip\\.com|vipshop\\.com [?&](?:store_?id|brand_?id)=(\\d+)|/(?:store|brand)/(\\d+)
suning suning\\.com ^(?:shop\\.(?:m\\.)?suning\\.com/)(\\d+)
dangdang dangdang\\.com ^(?:shop\\.dangdang\\.com/)(\\d+)
gome gome\\.com\\.cn ^(?:mall|shop)\\.gome\\.com\\.cn/(\\d+)
aliexpress aliexpress\\.com|aliexpress\\.ru|aliexpress\\.us /store/(?:group/[^/]+/)?(\\d+)|^shop(\\d+)\\.
alibaba alibaba\\.com ^(?!www\\.|m\\.|offer\\.)([a-z0-9-]+)\\.(?:en\\.|m\\.)?(?:en\\.)?alibaba\\.com
amazon amazon\\.(?:com|cn|de|fr|it|es|nl|se|pl|in|ca|ae|sa|sg|eg)|amazon\\.co\\.(?:uk|jp)|amazon\\.com\\.(?:au|mx|br|tr|be) [?&](?:seller|me|merchant)=([A-Z0-9]{10,})|/(?:shops|sp|stores)/([\\w-]+)
ebay ebay\\.(?:com|de|fr|it|es|ca|at|ch|ie|nl|pl)|ebay\\.co\\.uk|ebay\\.com\\.(?:au|hk|sg|my) /(?:str|usr)/([\\w.*-]+)
shopee shopee\\.(?:sg|ph|vn|tw|cl|pl|es|fr|in)|shopee\\.com\\.(?:my|br|mx|co)|shopee\\.co\\.(?:th|id) /shop/(\\d+)|^[^/]+/(?!search|product|m/|user)([\\w.-]+)(?:[?#]|$)
lazada lazada\\.(?:sg|vn)|lazada\\.com\\.(?:my|ph)|lazada\\.co\\.(?:th|id) /shop/([\\w-]+)
temu temu\\.com [?&]mall_id=(\\d+)|-m-(\\d+)\\.html
shein shein\\.(?:com|co\\.uk) /store/home\\?store_code=(\\d+)|[?&]store_code=(\\d+)
tiktok tiktok\\.com /@([\\w.-]+)|/shop/store/[^/]+/(\\d+)
meituan meituan\\.com|dianping\\.com /(?:shop|meishi|poi)/(\\w+)
eleme ele\\.me /shop/(\\w+)
wechat weixin\\.qq\\.com|channels\\.weixin\\.qq\\.com [?&](?:__biz|biz|appid|username)=([\\w=-]+)
bilibili bilibili\\.com ^(?:space|live)\\.bilibili\\.com/(\\d+)
zhihu zhihu\\.com /(?:people|org)/([\\w-]+)
xianyu goofish\\.com|xianyu\\.com [?&](?:userId|id)=(\\w+)
`;
