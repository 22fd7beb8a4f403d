package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// What stands beside the cases is kept through the console by those whose it is, and seen by nobody else.
func TestConsolePages(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	b := startBrowser(t, "http://"+l.Gateway.HTTPAddr())
	id := l.drive(t, "console-pages-2", 44, "settled").ReferralID
	l.drive(t, "console-pages-1", 43, "submitted")

	center := b.visit(t, "center-sh-3", desktop)
	desk := b.visit(t, "desk-2", phone)
	hospital := b.visit(t, "staff-hf-7", pocket)
	keepsThePool(center, desk, hospital, id)
	keepsTheDirectory(center, desk, hospital)
	agency, other := b.visit(t, "agent-34-1", desktop), b.visit(t, "agent-31-1", phone)
	clears(l, agency, other, desk)
	decides(agency, other, desk)
	tellsASystem(center, desk, hospital)
	for _, path := range []string{"/clearing", "/supervision"} {
		center.open(path)
		center.sees("没有此页面，或您无权查看")
	}
	for _, p := range []*person{center, desk, hospital, agency, other} {
		p.behaved()
	}
}

// keepsThePool adds a bed, books it for the center itself, holds another for a case and confirms it. Operations see it and
// change nothing; a hospital sees its own alone.
func keepsThePool(center, desk, hospital *person, id string) {
	t := center.t
	t.Helper()
	center.press("资源池", "")
	center.sees("示范床位 6")
	center.press("增加资源", "")
	center.fill("名称或编号", "示范床位 7")
	center.send("增加资源")
	center.sees("示范床位 7")
	center.press("登记本院自用", "")
	center.press("登记本院自用", "登记本院自用")
	center.sees("请填写此项") // nothing is taken without a reason
	center.fill("原因", "示范：本院自用")
	center.send("登记本院自用")
	center.sees("本院自用 · 已确认")
	center.press("为病例预占", "")
	center.fill("病例号", id)
	center.send("为病例预占")
	center.sees("转诊 · 预占至")
	center.fits("the pool")
	center.press("示范床位 7", "")
	center.press("申报现状、停用或恢复", "")
	center.fill("停用：", "")
	center.send("申报现状、停用或恢复")
	center.do("lacks", "在用")
	center.press("修改排班日历", "")
	center.fill("工作日时段", "08:00-25:00")
	center.press("修改排班日历", "修改排班日历")
	center.sees("需要更正") // no day has such an hour
	center.fill("工作日时段", "08:00-17:30")
	center.send("修改排班日历")
	center.sees("08:00-17:30 / –")
	center.fits("a unit")
	unit := center.where()
	center.press("资源池", "")
	center.press("转诊 · 预占至", "")
	center.press("确认预占", "")
	center.send("确认预占")
	center.sees("释放")
	center.sees("已确认")
	center.fits("a hold")
	center.press("释放", "")
	center.fill("原因", "示范：改期")
	center.send("释放")
	center.sees("已释放")
	center.press("资源池", "")
	center.press("设定预留号源", "")
	center.fill("末日", clock.Day(clock.System().Now().AddDate(0, 1, 0)))
	center.fill("预留比例", "30")
	center.fill("未用部分提前释放", "1440")
	center.send("设定预留号源")
	center.sees("(30 %)")
	center.sees("1 天")
	center.press("撤销预留", "")
	center.send("撤销预留")
	center.do("lacks", "(30 %)")
	lends(center, hospital)

	desk.open("/pool?org=C-SH-01")
	desk.sees("Own use · Confirmed")
	desk.sees("示范床位 7")
	desk.sees("center-sh-3")
	desk.do("lacks", "Book own use")
	desk.fits("another's pool on a phone in the dark")
	desk.press("Own use · Confirmed", "")
	desk.press("res_", "What it takes")
	desk.press("Override: take it", "")
	desk.fill("Case", id)
	desk.fill("Why", "示范：急诊需要床位")
	desk.send("Override: take it from another booking")
	desk.sees("by OPS desk-2: 示范：急诊需要床位")
	desk.fits("a unit that was overridden")

	hospital.open("/pool")
	hospital.sees("示范救护车 1")
	hospital.sees("增加资源")
	hospital.do("lacks", "设定预留号源")
	hospital.fits("ambulances on a phone")
	hospital.open(unit)
	hospital.run(chromedp.WaitVisible("[role=alert]", chromedp.ByQuery))
	hospital.do("lacks", "示范床位 7")
	hospital.open("/pool?org=C-SH-01")
	hospital.run(chromedp.WaitVisible("[role=alert]", chromedp.ByQuery))
	if at := hospital.where(); at != "/pool?org=C-SH-01" {
		t.Errorf("sent away to %s", at)
	}
}

// lends offers a bed to a hospital, which takes it on its phone.
func lends(center, hospital *person) {
	center.t.Helper()
	center.press("示范床位 6", "")
	center.press("借出", "")
	center.fill("借给机构", "H-HF-01")
	center.send("借出")
	center.sees("拟借给 H-HF-01")
	hospital.open("/pool?kind=BED")
	hospital.press("接受借调", "借调")
	hospital.send("接受借调")
	hospital.sees("借入：C-SH-01")
	hospital.sees("已借出")
}

// keepsTheDirectory lets a center close a program and change whom it takes, and operations suspend another's licence. A hospital reads.
func keepsTheDirectory(center, desk, hospital *person) {
	center.t.Helper()
	center.press("移植中心", "")
	center.sees("已到期") // a licence that is over is told in the list
	center.fits("the directory")
	center.press("上海示范移植中心一", "")
	center.press("修改收治标准 肾", "")
	center.press("接受转诊", "修改收治标准")
	center.fill("结核", "不接受")
	center.fill("最大年龄", "700")
	center.press("修改收治标准", "修改收治标准")
	center.sees("需要更正")
	center.fill("最大年龄", "70")
	center.send("修改收治标准")
	center.sees("暂不接受")
	center.sees("0–70 岁")
	center.sees("结核 不接受")
	center.sees("修改项目")
	center.press("修改预留承诺", "")
	center.fill("资源", "床位")
	for label, value := range map[string]string{"按": "每周", "每期总数": "10", "预留比例": "30", "首日": "2026-12-01", "末日": "2027-12-01"} {
		center.fill(label, value)
	}
	center.send("修改预留承诺")
	center.sees("床位 10 / 每周 · 30 %")
	center.fits("a center")

	desk.open("/centers/C-SH-01")
	desk.press("Record its licence Liver", "")
	desk.fill("Suspended now", "")
	desk.send("Record its licence")
	desk.sees("Suspended")
	desk.sees("Licence recorded")
	desk.fits("a center on a phone in the dark")
	center.press("申报名额 肝", "") // of what was read before
	center.fill("转诊可用名额", "7")
	center.send("申报名额") // told that it changed, and sent once more
	center.sees("已暂停")
	center.sees("已完成：申报名额 肝")

	hospital.open("/centers/C-SH-01")
	hospital.sees("已暂停")
	hospital.do("lacks", "修改收治标准")
	hospital.do("lacks", "变更记录")
}

// clears lets Anhui's agency read its month to the fen, verify its book, compare a day and record a payment; operations
// record an agreement and pay nothing.
func clears(l *devLine, agency, other, desk *person) {
	t := agency.t
	t.Helper()
	now := clock.System().Now().In(clock.Shanghai)
	month := now.Format("2006-01")
	var got settlementv1.GetClearingStatementResponse
	sqldbtest.Eventually(t, "the settlement has its place in the month", func() bool {
		err := l.as(t, "A-340000", "agency", "340000").Do(t.Context(), http.MethodGet, "/v1/clearing/340000/statements/"+month, nil, &got)
		return err == nil && len(got.GetStatement().GetLines()) == 1
	})
	fen := got.GetStatement().GetLines()[0].GetLedger().GetFen()
	agency.press("省际清算", "")
	agency.open("/clearing?month=" + month)
	agency.sees(fmt.Sprintf("%d,%03d.%02d", fen/100000, fen/100%1000, fen%100))
	agency.press("校验参保地账簿", "")
	agency.sees("1 条记录完整无误")
	agency.fits("a month of clearing")
	agency.press("预付与划拨", "")
	agency.press("登记预付 上海市", "")
	agency.fill("金额", "200000.07")
	agency.press("登记预付", "登记预付")
	agency.sees("请填写此项") // no payment without its reference
	agency.fill("银行流水号", "BANK-DEMO-1")
	agency.send("登记预付")
	agency.sees("¥200,000.07")
	agency.fits("prepayments")
	agency.press("差异与对账", "")
	agency.sees("没有差异")
	agency.press("与一省对账", "")
	agency.fill("本省身份", "参保地")
	agency.fill("对方省份", "上海市")
	agency.send("与一省对账")
	agency.sees("差异 0 笔")
	agency.fits("differences")

	other.open("/clearing")
	other.sees("Statement")
	other.sees("Anhui")
	other.fits("the other side's month on a phone in the dark")

	desk.open("/clearing/money?province=340000")
	desk.sees("¥200,000.07")
	desk.do("lacks", "Record a payment")
	desk.fits("another's prepayments on a phone")
	desk.open("/clearing/net")
	desk.press("Record an agreement", "")
	for label, value := range map[string]string{"Treatment province": "Shanghai", "Insured province": "Anhui", "Treatment province’s part": "12.5", "First month": now.AddDate(0, 1, 1-now.Day()).Format("2006-01"), "The paper signed": "示范协议 1 号"} {
		desk.fill(label, value)
	}
	desk.send("Record an agreement")
	desk.sees("12.50 %")
	desk.fits("the national net on a phone")
}

// decides lets Anhui's agency decide a warning of poverty once; operations see it, another province's agency does not.
func decides(agency, other, desk *person) {
	agency.t.Helper()
	agency.press("基金监管", "")
	agency.press("因病致贫预警", "疑点")
	agency.sees("上年人均可支配收入")
	finding := agency.where()
	agency.enter("成立，确认") // by keyboard alone
	agency.do("at", "说明")
	agency.fits("a finding")
	agency.key("sample: looked into")
	agency.enter("成立，确认")
	agency.sees("sample: looked into")
	agency.do("at", "决定")
	agency.sees("已有决定")
	agency.press("基金监管", "")
	agency.sees("没有疑点")
	agency.fits("findings")

	desk.open("/supervision?province=340000&show=CONFIRMED")
	desk.press("May be made poor by illness", "Findings")
	desk.sees("sample: looked into")
	desk.fits("a finding on a phone")
	other.open(finding)
	other.run(chromedp.WaitVisible("[role=alert]", chromedp.ByQuery))
	other.do("lacks", "sample: looked into")
}

// tellsASystem gives a center's system an endpoint, whose secret is shown once, and follows a test event to it. Operations see it, another facility does not.
func tellsASystem(center, desk, hospital *person) {
	t := center.t
	t.Helper()
	system := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(system.Close)
	address := strings.TrimPrefix(system.URL, "http://")
	center.press("系统对接", "")
	center.sees("还没有接收端点")
	center.press("增加接收端点", "")
	center.fill("接收地址", "ftp://demo.invalid/hook")
	center.press("增加接收端点", "增加接收端点")
	center.sees("需要更正")
	center.fill("接收地址", system.URL)
	center.send("增加接收端点")
	center.sees("whsec_")
	center.fits("a new endpoint and its secret")
	center.press(address, "接收端点")
	center.sees("没有投递")
	center.do("lacks", "whsec_")
	center.press("发送测试事件", "")
	center.send("发送测试事件")
	center.sees("已送达") // the page follows the message
	center.fits("an endpoint")
	center.press("修改、暂停或恢复", "")
	center.fill("状态", "已暂停")
	center.send("修改、暂停或恢复")
	center.sees("本机构暂停")
	center.press("cn.huhang.referral.test.v1", "投递记录")
	center.sees("各次尝试")
	center.sees("specversion")
	center.fits("a message")

	desk.open("/webhooks")
	desk.press(address, "Endpoints")
	desk.sees("Delivered")
	desk.do("lacks", "Rotate the secret")
	desk.fits("another's endpoint on a phone in the dark")
	hospital.open("/webhooks")
	hospital.sees("还没有接收端点")
	hospital.fits("webhooks on a phone")
}
