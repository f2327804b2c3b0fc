"""What each alert kind says: what happened, and what to do. Data only; `texts` puts it together."""

from typing import Final, NamedTuple


class Phrases(NamedTuple):
    """Templates of one kind. `{channel}`, `{order}`, `{parcel}` are always there; `{name}` of a parameter may be absent."""

    title: str
    what: str
    todo: str


ZH: Final[dict[str, Phrases]] = {
    "channel_paused": Phrases(
        "渠道{channel}已暂停放单",
        "渠道{channel}触发熔断：新订单不再进入订单池，已冻结等待；平台推送照常接收、记录和展示，不会丢单。",
        "请在看板查看冲突或跳变明细，修复 ERP/WMS 同步后执行：lockstep channel resume {channel_name} --why 原因",
    ),
    "channel_resumed": Phrases(
        "渠道{channel}已恢复放单",
        "渠道{channel}恢复，暂停期间冻结的订单按付款时间依次放行，每单一次；今日冲突重新计数。",
        "请留意仓库波次和库存，如再次暂停会另行通知。",
    ),
    "order_jumps": Phrases(
        "订单{order}状态反复跳变",
        "订单{order}的状态异常跳变次数超过上限，渠道{channel}将被暂停放单。",
        "请查看该订单各来源的状态时间线（lockstep order show {order}），确认是哪个系统在来回改写状态。",
    ),
    "conflict_opened": Phrases(
        "订单{order}状态冲突：{kind}",
        "订单{order}在不同系统中的状态不一致，不可能同时为真。",
        "请按时间线核对以哪一方为准，在另一方补录或更正；对方跟上后冲突自动关闭。已取消或已退款的订单请立即拦截发货。",
    ),
    "unmapped_status": Phrases(
        "来源{source}出现未知状态码",
        "来源{source}推送了映射表中没有的状态码{code}，系统不做猜测，相关事件已进入死信。",
        "请查明含义后补充 schemas/ 中该来源的映射表，再执行 lockstep dead replay 重放。",
    ),
    "filter_rate": Phrases(
        "渠道{channel}订单被规则大量过滤",
        "规则{rule_id}今日过滤的已付款订单占比超过上限，这些订单不会发货。",
        "请立即检查规则文件中的该条规则是否写错条件（例如支付方式），必要时停用并人工补单。",
    ),
    "stall_sms": Phrases("包裹{parcel}物流停滞提醒", "", ""),
    "stall_task": Phrases(
        "包裹{parcel}物流停滞，请客服跟进",
        "订单{order}的包裹{parcel}长时间没有新的物流轨迹，已达二级预警。",
        "请联系快递网点核实位置，再按话术回访买家。",
    ),
    "stall_compensation": Phrases(
        "包裹{parcel}严重停滞，请补偿买家",
        "订单{order}的包裹{parcel}停滞已达三级预警，按规则应向买家补偿（优惠券）。",
        "请确认是否丢件：向快递发起查件或理赔，为买家发放优惠券，必要时补发。",
    ),
    "unsigned_watch": Phrases(
        "包裹{parcel}派送后迟迟未签收",
        "订单{order}的包裹{parcel}已派送但超时未签收。",
        "请联系派件员确认是否送达、地址是否有误或是否放在驿站，再告知买家。",
    ),
    "held_parcel": Phrases(
        "包裹{parcel}被快递滞留",
        "订单{order}的包裹{parcel}被快递标记为滞留或问题件。",
        "请按滞留原因对应的处理流程（SOP）处理：核对地址电话、补缴运费或改派，并回访买家。",
    ),
    "risk_review": Phrases(
        "订单{order}需要人工风控审核",
        "订单{order}命中风险规则（虚假签收或因地址退回），该买家的仅退款权限暂时冻结。",
        "请人工核实签收凭证和买家诉求后放行或拒绝。",
    ),
    "source_silent": Phrases(
        "来源{source}没有消息",
        "来源{source}已{quiet}没有推送任何事件，与它平时的节奏或设定的上限不符，可能是接口故障或授权过期。",
        "请检查该平台的推送配置、授权和 connect 进程；平台恢复后会补推，届时另行通知。",
    ),
    "source_silent.back": Phrases(
        "来源{source}恢复推送",
        "来源{source}沉默{quiet}后重新开始推送。",
        "请确认沉默期间的订单是否已补推；缺少的请在平台侧重新推送。",
    ),
    "sequence_gap": Phrases(
        "来源{source}推送序号缺失：{missing}",
        "来源{source}店铺{shop}的推送序号中断，{count}个序号在等待时间内没有补到，相应事件可能没有送达。",
        "请在来源系统中查找这些序号并重新推送；重复推送不会重复生效。",
    ),
    "records_lost": Phrases(
        "数据缺口：{topic}分区{partition}",
        "{task}尚未读取，主题{topic}分区{partition}的记录{first}至{last}（约{count}条）已被删除，这些数据没有进入后续处理。",
        "请查明是保留期过短还是有人截断主题，并让来源补推这一时段的数据；重复推送不会重复生效。",
    ),
    "reader_stuck": Phrases(
        "处理进度停滞：{feed}",
        "主题{feed}的读取进度停滞，超时判断已将其排除，以免影响其他渠道；该主题的数据未丢失。",
        "请检查 stream 进程日志和 Kafka 分区状态，必要时重启该进程（会自动续读）。",
    ),
    "audit_broken": Phrases(
        "审计链异常：订单{order}",
        "订单{order}第{seq}条审计记录不可信，该条及其后的记录都不能证明；已存记录保持不变。",
        "请执行 lockstep audit verify {order}，并检查是否有人改动数据库或有两套程序在写。",
    ),
    "audit_root": Phrases(
        "审计根 {day}：{chains}单{records}条 {root}",
        "{day}已封账：全部{chains}个订单的{records}条审计记录由下面的审计根担保，此后任何改动、删除、插入、截断都能被查出。",
        "请保留本消息作为数据库之外的凭证；核对时执行：lockstep audit verify --day {day} --root {root}",
    ),
    "dead_letters": Phrases(
        "来源{source}死信过多（{share}）",
        "来源{source}在{window}内推送的{total}个事件中有{count}个无法处理（{reasons}），超过上限；均已原样保存在死信中，恢复前不再逐条提醒。",
        "请执行 lockstep dead list --source {source} 查看原因，修复后 lockstep dead replay --source {source} 重放。",
    ),
    "pull_failed": Phrases(
        "来源{source}拉取失败：{code}",
        "来源{source}店铺{shop}的列表{list}自{since}起无法从平台拉取，已读到{read_at}；平台上的数据没有丢失。",
        "问题排除后会自动从断点续拉，届时另行通知；授权类问题改完配置后重启 poll 进程。",
    ),
    "pull_failed.back": Phrases(
        "来源{source}恢复拉取",
        "来源{source}店铺{shop}的列表{list}重新可以拉取，自断点起补拉，不会遗漏。",
        "无需操作；积压较多时补拉需要一些时间。",
    ),
    "dead_letters.well": Phrases(
        "来源{source}死信已恢复正常",
        "来源{source}的事件重新可以正常处理。",
        "积存的死信请执行 lockstep dead replay --source {source} 重放。",
    ),
}
EN: Final[dict[str, Phrases]] = {
    "channel_paused": Phrases(
        "channel {channel} is paused",
        "No order of {channel} is released to the pool; held orders wait. Pushes are still taken, recorded and shown: nothing is lost.",
        "Look at the conflicts or jumps on the board, repair the ERP/WMS, then: lockstep channel resume {channel_name} --why REASON",
    ),
    "channel_resumed": Phrases(
        "channel {channel} is open again",
        "Held orders of {channel} are released in order of payment, each once; the day's conflicts are counted anew.",
        "Keep an eye on the warehouse's waves and stock.",
    ),
    "order_jumps": Phrases(
        "order {order} jumps between statuses",
        "Order {order} has jumped more often than allowed; {channel} is being paused.",
        "Find which system rewrites its status: lockstep order show {order}",
    ),
    "conflict_opened": Phrases(
        "conflict about order {order}: {kind}",
        "Two systems say of order {order} what cannot both be true.",
        "Decide who is right and correct the other; the conflict closes by itself. Stop the parcel if the order was cancelled or refunded.",
    ),
    "unmapped_status": Phrases(
        "unknown status code of {source}",
        "{source} sent the code {code}, which no table knows. It was not guessed: the events are dead letters.",
        "Add the code to the source's table in schemas/, then: lockstep dead replay",
    ),
    "filter_rate": Phrases(
        "a rule filters many orders of {channel}",
        "Rule {rule_id} has filtered more of the day's paid orders than allowed; they will not be shipped.",
        "Check the rule's condition at once; take it out and add the orders by hand if it is wrong.",
    ),
    "stall_sms": Phrases("parcel {parcel} stands still", "", ""),
    "stall_task": Phrases(
        "parcel {parcel} stands still: call the courier",
        "Parcel {parcel} of order {order} has not moved for long (level 2).",
        "Ask the courier where it is and tell the customer: we have asked for it to be hurried and will report as soon as it moves.",
    ),
    "stall_compensation": Phrases(
        "parcel {parcel} stands still: compensate",
        "Parcel {parcel} of order {order} has not moved for very long (level 3).",
        "Claim it with the courier, give the customer a coupon, send it again if it is lost.",
    ),
    "unsigned_watch": Phrases(
        "parcel {parcel} is out for delivery but not signed",
        "Parcel {parcel} of order {order} went out and was not signed in time.",
        "Ask the courier whether it was delivered, then tell the customer.",
    ),
    "held_parcel": Phrases(
        "parcel {parcel} is held",
        "The courier holds parcel {parcel} of order {order}.",
        "Follow the procedure for the reason: check address and telephone, pay what is due, or redirect it.",
    ),
    "risk_review": Phrases(
        "order {order} needs a review",
        "A risk rule matched order {order}; the customer's refund-only right is frozen for now.",
        "Check the proof of delivery and the customer's claim, then decide.",
    ),
    "source_silent": Phrases(
        "{source} is silent",
        "{source} has sent nothing for {quiet}: longer than it ever does at this hour, or than the policy allows.",
        "Check its push settings, its authorisation and the connect role; the platform will push again, and its return is said.",
    ),
    "source_silent.back": Phrases(
        "{source} speaks again",
        "{source} was silent for {quiet} and pushes again.",
        "Check that what happened meanwhile was pushed again; ask the platform for the rest.",
    ),
    "sequence_gap": Phrases(
        "numbers of {source} are missing: {missing}",
        "{count} numbers of {source}, shop {shop}, did not come in time: those pushes may never have arrived.",
        "Find them at the source and push them again; a push that comes twice does no harm.",
    ),
    "records_lost": Phrases(
        "records lost: {topic}, partition {partition}",
        "Records {first} to {last} of {topic}, partition {partition} (about {count}), were deleted before {task} had read them.",
        "Was the retention too short, or the topic truncated? Have the sources push that time again; what comes twice does no harm.",
    ),
    "reader_stuck": Phrases(
        "reading stands still: {feed}",
        "Topic {feed} is not read on; deadlines are judged without it. Nothing is lost.",
        "Look at the stream role's log and at Kafka; restart the role if need be, it goes on where it stopped.",
    ),
    "audit_broken": Phrases(
        "audit chain broken: order {order}",
        "Audit record {seq} of order {order} cannot be trusted, nor what follows it; what is stored stays as it is.",
        "Run: lockstep audit verify {order}. Was the database edited, or do two installations write to it?",
    ),
    "audit_root": Phrases(
        "audit root {day}: {chains} orders, {records} records, {root}",
        "{day} is closed: the root below vouches for {records} audit records of {chains} orders; any change since then can be found.",
        "Keep this message: it is the copy outside of the database. To check: lockstep audit verify --day {day} --root {root}",
    ),
    "dead_letters": Phrases(
        "too many dead letters of {source} ({share})",
        "{count} of {total} events of {source} within {window} could not be used ({reasons}); they are kept as they came.",
        "See lockstep dead list --source {source}; after the repair: lockstep dead replay --source {source}",
    ),
    "pull_failed": Phrases(
        "{source} cannot be pulled from: {code}",
        "The list {list} of {source}, shop {shop}, cannot be read since {since}; read up to {read_at}. Nothing is lost.",
        "Once mended it goes on by itself from where it stopped, and says so; restart the poll role after a change of the configuration.",
    ),
    "pull_failed.back": Phrases(
        "{source} is pulled from again",
        "The list {list} of {source}, shop {shop}, can be read again; it goes on from where it stopped.",
        "Nothing to do; what has gathered may take a while.",
    ),
    "dead_letters.well": Phrases(
        "{source} is well again",
        "What {source} sends can be used again.",
        "Send the letters that are left through again: lockstep dead replay --source {source}",
    ),
}
CUSTOMER: Final = {  # where the alert brings no script of its own
    "zh": "您好，您的包裹（{parcel_no}）物流信息暂时没有更新，我们已在催促快递公司，请您放心。如有疑问请联系在线客服。",
    "en": "Your parcel {parcel_no} has had no tracking update for a while. We have asked the courier to hurry. Questions? Write to us.",
}
LABELS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "severity.critical": "严重", "severity.warning": "警告", "severity.info": "通知",
        "what": "情况", "todo": "处理", "order": "订单", "parcel": "包裹", "channel": "渠道", "at": "时间", "id": "编号",
        "digest": "告警摘要：{n} 条", "kind": "类型", "reason": "原因", "why": "说明", "by": "操作人", "count": "数量", "n": "次数",
        "limit": "上限", "code": "状态码", "source": "来源", "rule_id": "规则", "day": "日期", "due_at": "应到时间", "tier": "级别",
        "episode": "第几次停滞", "last_movement_at": "最后轨迹时间", "place": "地点", "text": "轨迹", "status": "状态", "rate": "占比",
        "share": "占比", "filtered": "过滤数", "paid": "已付款数", "orders": "涉及订单", "order_keys": "涉及订单", "evidence": "依据",
        "history": "历史", "script": "话术", "procedure": "处理流程", "sop": "处理流程", "courier": "快递", "tracking_no": "单号",
        "feed": "主题", "partition": "分区", "seq": "序号", "jumps": "跳变次数", "conflicts": "冲突数", "hours": "停滞小时", "late": "迟到",
        "a": "依据", "b": "应有", "within": "时限", "since": "起始时间", "breach": "触发", "detail": "详情", "mark": "进度",
        "fired_at": "判定时间", "task": "任务",
        "reasons": "死信原因", "total": "总数", "window": "统计窗口", "run": "连续死信", "quiet": "沉默时长",
        "rule": "规则", "last_at": "最后消息时间", "missing": "缺失序号", "shop": "店铺",
        "freeze_orders": "冻结单数", "connector": "平台", "event_id": "事件", "state": "当前状态",
        "chains": "订单数", "records": "审计记录数", "grown": "当日有新记录的订单数", "broken": "异常订单数", "root": "审计根",
        "previous": "前一日审计根", "list": "列表", "remedy": "程序处理", "read_at": "已读到",
    },
    "en": {
        "severity.critical": "critical", "severity.warning": "warning", "severity.info": "info",
        "what": "What", "todo": "To do", "order": "Order", "parcel": "Parcel", "channel": "Channel", "at": "Time", "id": "Id",
        "digest": "Digest of {n} alerts",
    },
}  # fmt: skip
VALUES: Final[dict[str, str]] = {
    "channel_conflicts": "当日冲突数超过上限",
    "order_jumps": "单个订单状态跳变超过上限",
    "paused": "已暂停",
    "half_open": "半开（限速放单）",
    "open": "正常",
    "manual": "人工操作",
    "quiet": "安静期后自动恢复",
    "paid_not_received": "已付款，ERP 未接单",
    "shipped_not_synced": "仓库已发货，渠道未同步发货",
    "signed_not_synced": "快递已签收，渠道未同步签收",
    "cancel_not_acknowledged": "渠道已取消或退款，ERP 未拦截",
    "stock_not_restored": "已退款，ERP 库存未恢复",
    "amount_mismatch": "各方应付金额不一致",
    "moved_after_end": "订单已结束，仓库/ERP 仍在推进",
    "revival": "已结束的订单复活",
    "regression": "状态倒退",
    "flap": "状态反复",
    "skip": "跳过关键节点",
    "learned": "按平时节奏",
    "back": "恢复推送",
    "well": "恢复正常",
    "retry": "自动重试",
    "slow": "降速重试",
    "refresh": "刷新授权",
    "give_up": "暂停拉取，等待人工处理",
    "audit_differs": "与已存记录不一致",
    "audit_unproven": "封账核验未通过",
}
CHANNELS: Final[dict[str, str]] = {
    "taobao": "淘宝", "tmall": "天猫", "pinduoduo": "拼多多", "douyin": "抖音", "wechat_shop": "微信小店", "jd": "京东",
    "kuaishou": "快手", "xiaohongshu": "小红书", "youzan": "有赞", "shopee": "Shopee", "tiktok_shop": "TikTok Shop",
    "shopify": "Shopify", "web": "官网",
}  # fmt: skip
