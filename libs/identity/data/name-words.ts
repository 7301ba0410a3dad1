/**
 * Words of Chinese firm names and how they are written in English, one concept a line:
 * `<concept>: <Chinese words> | <English words>`. Words of one concept count as the same trade.
 * The order of 企业名称登记管理规定 (2020) article 8 is division, name proper, trade, legal form.
 */
export const TRADES = `
trade: 贸易 商贸 经贸 工贸 科贸 商业 经销 销售 购销 营销 经营 | trading trade tradings commerce commercial business sales marketing bussiness
importExport: 进出口 进出口贸易 国际贸易 外贸 对外贸易 | import export import-export impexp imports exports international-trade international-trading
ecommerce: 电子商务 电商 网络销售 跨境电商 | e-commerce ecommerce electronic-commerce e-business online
technology: 科技 技术 高科 科技发展 高新技术 | technology technologies tech sci-tech science-technology science
it: 信息 信息技术 信息科技 软件 网络 网络科技 网络技术 互联网 数据 数码 数字 智能 智能科技 计算机 人工智能 云计算 大数据 | information software network networks internet data digital intelligent intelligence computer it smart ai
electronics: 电子 电子科技 电子产品 半导体 光电 微电子 集成电路 元器件 | electronics electronic semiconductor optoelectronics photoelectric microelectronics
electrical: 电器 电气 家电 家用电器 电力 电缆 电线 电源 电机 照明 灯具 灯饰 | electric electrical appliance appliances power cable lighting lamp lamps motor
machinery: 机械加工 机床 电梯 制冷 空调 消防 消防器材 安防 泵业 机械制造 设备制造 机电工程 机械租赁 机械厂 机械配件 机械 机电 设备 机械设备 机电设备 装备 重工 重型机械 自动化 仪器 仪表 仪器仪表 电子仪器 工具 模具 阀门 轴承 精密 五金 五金机电 五金配件 农机 | machinery machine machines equipment electromechanical mechanical automation instrument instruments tools mould mold valve bearing precision hardware metalware
materials: 混凝土 橡塑 砂石 石料 化肥 钢结构 铝塑门窗 木制品加工 制品 防水材料 保温材料 管业 管道 矿业 煤炭 矿产 矿产品 材料 新材料 建材 建筑材料 新型建材 装饰材料 化工 化学 塑料 塑胶 橡胶 金属 钢铁 钢材 不锈钢 铝业 铜业 玻璃 陶瓷 石材 木业 木材 木制品 包装 包装材料 纸业 纸品 水泥 水泥制品 涂料 物资 | materials material building-materials chemical chemicals plastic plastics rubber metal metals steel stainless aluminum aluminium glass ceramics ceramic stone wood timber packaging packing paper cement coating
construction: 建筑 建设 建筑工程 工程 装饰 装修 装饰工程 建筑装饰 建设工程 安装 园林 园林绿化 绿化 市政 路桥 土木 劳务 房地产 房地产开发 置业 地产 物业 物业管理 门窗 防护门窗 | construction building engineering decoration installation landscape property real-estate realty estate doors windows
textile: 鞋类 服饰 服装 制衣 时装 纺织 纺织品 针织 针纺 布业 布艺 家纺 鞋业 鞋服 鞋帽 童装 内衣 皮革 皮具 箱包 羽绒 羊绒 | clothing garment garments apparel fashion textile textiles knitting shoes footwear leather bags luggage
food: 食品 副食品 农副产品 农产品 粮油 茶叶 茶业 酒业 酒类 烟酒 饮料 饮品 水产 肉类 水果 果蔬 蔬菜 生鲜 调味品 零食 糖果 乳业 面粉 油脂 花生米 土特产 特产 | food foods agricultural-products tea wine liquor beverage beverages aquatic seafood fruit fruits vegetable dairy snacks
catering: 餐饮 餐饮管理 酒店 酒店管理 宾馆 饭店 餐厅 火锅 小吃 烘焙 咖啡 | catering restaurant hotel hotels cafe coffee bakery
agriculture: 牧业 农牧 农牧业 畜禽 水产养殖 农业 农业科技 农业开发 生态农业 种植 养殖 畜牧 林业 渔业 苗木 花卉 种业 饲料 肥料 农资 | agriculture agricultural farming planting breeding forestry fishery seed feed fertilizer
health: 医药 药业 制药 医疗 医疗器械 医疗科技 生物 生物科技 生物技术 健康 健康管理 保健 大药房 大药房连锁 医药连锁 药房 药店 口腔 养老 护理 | pharmaceutical pharmaceuticals pharmacy medicine medical medical-device medical-devices biotech biotechnology biological health healthcare dental
beauty: 化妆品 日化 日用品 美容 美发 美业 护肤 洗涤 家居 家居用品 家具 百货 日用百货 文具 办公用品 体育用品 玩具 礼品 工艺品 饰品 珠宝 首饰 眼镜 钟表 母婴 母婴用品 宠物 宠物用品 | cosmetics beauty daily household home furniture furnishing department general-merchandise stationery office sports toys toy gifts gift crafts jewelry jewellery glasses optical baby pet pets
transport: 客运 货物运输 道路运输 搬家 快运 停车 船舶 海运 物流 货运 货运代理 国际货运 国际货运代理 运输 快递 供应链 供应链管理 仓储 航空 汽车 汽车销售 汽车服务 汽车配件 汽配 二手车 汽车维修 租赁 汽车租赁 | logistics freight forwarding transport transportation express supply-chain warehousing aviation auto automobile automotive auto-parts vehicle leasing rental
finance: 投资 投资管理 资产管理 资产 资本 金融 担保 典当 保险代理 基金 股权投资 创业投资 控股 | investment investments asset-management assets capital finance financial guarantee insurance fund holding holdings
services: 服务 咨询 信息咨询 商务咨询 管理咨询 企业管理 企业管理咨询 管理 商务 商务服务 技术服务 人力资源 劳务派遣 会展 会议 翻译 知识产权 代理 中介 家政 保洁 安保 保安 检测 设计 策划 | service services consulting consultancy consultants management human-resources exhibition translation agency testing design planning
media: 文化旅游 印刷厂 网络文化 文化艺术传播 文化 文化传媒 传媒 广告 广告装饰 影视 文化传播 传播 文化艺术 艺术 印刷 印务 图书 出版 摄影 直播 网络传媒 娱乐 | culture cultural media advertising film television communication communications art arts printing books publishing photography entertainment
education: 托育 驾驶员培训 驾校 教育 教育科技 教育咨询 培训 | education educational training school
environment: 环境工程 环境科技 环保工程 电能 热力 供暖 供热 水利 环保 环保科技 环境 节能 节能环保 新能源 能源 能源科技 太阳能 光伏 石油 燃气 水务 水处理 节水 再生资源 | environmental environment energy new-energy solar photovoltaic petroleum oil gas water recycling
industry: 经济 经济发展 经济贸易 经济技术 文化发展 工业品 连锁 实业 产业 工业 制造 加工 发展 开发 集团 控股集团 国际 用品 配件 制造业 企业 事业 联合 股份 | industry industries industrial manufacturing manufacture development group international products enterprise enterprises holdings global
tourism: 旅游 旅行社 旅行 国际旅行社 | travel tourism tour tours
telecom: 通信 通讯 通信科技 电信 | telecom telecommunication telecommunications communication-technology
`;

/** Legal forms and what stands in their place, longest first in each line: `<form>: <Chinese> | <English>`. */
export const FORMS = `
jointStock: 股份有限公司 股份公司 | joint-stock-co joint-stock-company company-limited-by-shares co-plc plc
partnership: 有限合伙 普通合伙 特殊普通合伙 合伙企业 | limited-partnership partnership lp llp
limited: 有限责任公司 有限公司 责任有限公司 有限责任 一人有限公司 集团公司 集团有限公司 总公司 公司 | company-limited co-limited limited-company co-ltd coltd corporation-limited corp-ltd limited-liability-company limited ltd llc inc incorporated corporation corp company co youxiangongsi youxianzerengongsi gufenyouxiangongsi gongsi
cooperative: 农民专业合作社联合社 农民专业合作社 专业合作社 股份合作社 供销合作社 联合社 合作社 | farmers-professional-cooperative farmers-cooperative specialized-cooperative professional-cooperative cooperative co-op coop
farm: 家庭农场 农场 养殖场 种植园 果园 林场 牧场 | family-farm farm
factory: 加工厂 制造厂 总厂 分厂 厂 | processing-factory factory plant works mill
stall: 经营部 经销部 销售部 批发部 营业部 服务部 供应部 门市部 门市 商行 贸易行 商店 商铺 店铺 超市 便利店 专卖店 精品店 百货店 批发店 零售店 经营店 经销店 加工店 工作室 服务店 营业店 | trading-firm firm business-department department shop store supermarket mart studio
institution: 中心 协会 学会 基金会 研究院 研究所 医院 学校 大学 学院 幼儿园 事务所 俱乐部 商会 委员会 办事处 代表处 设计院 门诊部 诊所 卫生室 银行 信用社 | center centre association foundation institute research-institute hospital school university college office bank clinic
individual: 个体工商户 个体户 个人独资企业 个体 | individual-business sole-proprietorship
shop: 店 行 馆 坊 铺 部 吧 廊 摊 档 庄 苑 房 社 站 | house
`;

/** What platforms append to a shop's name: says nothing of who runs it. */
export const SHOP_WORDS =
  '官方旗舰店 旗舰店 专营店 专卖店 官方直播间 直播间 官方店 企业店 工厂店 工厂直销店 品牌店 优选 严选 甄选 精选 批发店 百货店 精品店 卖场 折扣店 特卖店 海外旗舰店 海外专营店 官方商城 商城 自营店 小店 体验店 直营店 连锁店 加盟店 专柜 总店 淘宝店 天猫店 京东店 拼多多店 抖音店 抖店 快手店 微店 官方 优品 生活馆 集合店 清仓店 严选店 优选店';
