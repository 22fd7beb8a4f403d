package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/sampleline"
)

// The sample case goes from the first form to the first follow-up through the console, by its three roles at once, each
// page live. Nobody reloads, nothing is asked of another host, and axe finds nothing.
func TestConsole(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	b := startBrowser(t, "http://"+l.Gateway.HTTPAddr())
	coordinator := b.visit(t, "staff-hf-7", desktop)
	coordinator.fits("worklists")
	id := registers(t, l, coordinator)

	desk := b.visit(t, "desk-2", phone)
	desk.open("/lists/FOR_REVIEW")
	desk.fits("a worklist on a phone")
	desk.press(id[len(id)-6:], "")
	desk.press("Screen and decide", "")
	desk.fill("Pass: rank the centers", "")
	desk.send("Screen and decide")

	coordinator.press("由患者选择移植中心", "") // it comes by itself
	coordinator.press("询问 上海示范移植中心一", "")
	coordinator.fits("the ranking")
	coordinator.press("按此顺序询问", "")

	center := b.visit(t, "center-sh-3", desktop)
	accepts(center, id)
	moves(coordinator, center)
	desk.sees("Arrived")
	desk.fits("a case on a phone")
	treats(center)
	comesHome(coordinator, center)

	desk.open("/late")
	desk.sees("Late cases")
	desk.fits("late cases on a phone")
	desk.open("/figures")
	desk.sees("Time in each state")
	desk.fits("figures on a phone")
	desk.open("/cases/" + id + "/trace")
	desk.sees("The five slowest")
	desk.fits("a trace on a phone")
	for _, p := range []*person{coordinator, desk, center} {
		p.behaved()
	}
}

// registers fills three forms and hands the case in; it returns the case's id.
func registers(t *testing.T, l *devLine, p *person) string {
	t.Helper()
	p.press("登记患者并发起转诊", "")
	p.sees("第 1 步")
	p.press("登记患者", "第 1 步")
	p.sees("请填写此项")
	p.fits("a form with its errors")
	for label, value := range map[string]string{
		"姓名": "示范患者", "身份证号": "34010419790314001X", "手机": "13900000077", "居住地": "合肥市", "统筹区": "合肥市", "险种": "城乡居民医保", "低保": "",
	} {
		p.fill(label, value)
	}
	p.tickAll("知情同意")
	p.press("登记患者", "第 1 步")
	p.sees("需要更正") // the check digit is wrong, and its field says so
	p.fill("身份证号", sampleline.IdentityNumber("340104", "19790314", 77))
	p.press("登记患者", "第 1 步")
	p.sees("第 2 步")
	for label, value := range map[string]string{
		"诊断": "K74.600", "ABO 血型": "A", "Rh 阳性": "是", "身高": "170", "体重": "66", "活动性感染": "否", "乙肝": "是", "丙肝": "否", "HIV": "否",
		"肌酐": "97", "总胆红素": "96", "白蛋白": "29", "INR": "1.9", "血钠": "133", "甲胎蛋白": "310", "腹水": "少量", "肝性脑病": "无", "肝细胞癌": "是",
	} {
		p.fill(label, value)
	}
	for label, value := range map[string]string{"结节直径": "3.4, 2.1", "大血管侵犯": "否", "肝外转移": "否", "组织学分级": "II"} {
		p.fill(label, value)
	}
	p.press("保存临床资料", "")
	p.sees("第 3 步")
	var patient string
	p.run(chromedp.Text(".notice code", &patient, chromedp.ByQuery))
	entitled(t, l, patient)
	p.fill("紧急", "")
	p.press("建立病例", "")
	p.sees("下一步操作")
	id := strings.TrimPrefix(p.where(), "/cases/")
	// By keyboard alone: to the action, open it, and send its form. A second Enter is the same request.
	p.run(chromedp.Focus("button.action", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	p.sees("确认后立即生效")
	p.run(chromedp.Focus(".actions form button.primary", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	p.sees("审核中")
	p.fits("a case")
	return id
}

// entitled is the agency's own record, which no page of the console keeps.
func entitled(t *testing.T, l *devLine, patient string) {
	t.Helper()
	if err := l.as(t, "A-340000", "agency", "340000").Do(t.Context(), http.MethodPut, "/v1/entitlements/"+patient, &settlementv1.PutEntitlementRequest{
		RequestId: "console-entitlement-1", Province: "340000", ValidFrom: "2020-01-01", Coverage: &patientv1.Coverage{
			Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT,
			AssistanceGroups: []patientv1.AssistanceGroup{patientv1.AssistanceGroup_ASSISTANCE_GROUP_SUBSISTENCE},
		},
	}, nil); err != nil {
		t.Fatal(err)
	}
}

func accepts(center *person, id string) {
	center.t.Helper()
	center.open("/capacity")
	center.sees("接收能力")
	center.fits("capacity")
	center.open("/offers")
	center.sees(id[len(id)-6:])
	center.fits("offers")
	center.press("查看并答复", "")
	center.press("接收患者", "")
	center.fill("接收条件", "补充巨细胞病毒检测")
	center.send("接收患者")
	center.press("确认接收条件已满足", "")
	center.fill("接收条件", "1. 补充巨细胞病毒检测")
	center.send("确认接收条件已满足")
	center.sees("已满足")
	center.press("确认入院预约", "")
	center.send("确认入院预约")
	center.sees("已预约")
	center.press("其他操作", "")
	center.press("改约入院时间", "")
	center.fill("说明", "手术间检修")
	center.send("改约入院时间")
	center.sees("手术间检修")
}

func moves(coordinator, center *person) {
	coordinator.t.Helper()
	coordinator.press("安排转运", "")
	coordinator.press("查询行程", "")
	coordinator.sees("可选行程")
	coordinator.fits("the ways")
	coordinator.press("预订此行程", "")
	coordinator.press("出发前 24 小时内复核", "")
	coordinator.send("出发前 24 小时内复核")
	coordinator.sees("最近一次条件复核")
	coordinator.press("登记出发", "")
	coordinator.send("登记出发")
	coordinator.press("其他操作", "")
	coordinator.press("登记行程段进度", "")
	coordinator.fill("发生了什么", "已出发")
	coordinator.send("登记行程段进度")
	coordinator.press("报告行程段晚点或取消", "")
	coordinator.fill("晚点分钟数", "20")
	coordinator.send("报告行程段晚点或取消")
	center.press("其他操作", "")
	center.press("登记已到院门口", "")
	center.send("登记已到院门口")
	coordinator.press("签署交接（转出方）", "")
	coordinator.send("签署交接（转出方）")
	center.sees("转出方签字")
	center.press("登记到达并交接", "")
	center.tickAll("交接清单")
	center.send("登记到达并交接")
	center.sees("已到达")
}

func treats(center *person) {
	center.t.Helper()
	center.press("记录评估结论", "")
	center.fill("适合移植", "")
	center.send("记录评估结论")
	center.sees("已登记等待")
	center.press("建立费用单", "")
	center.send("建立费用单")
	center.sees("费用与结算")
	center.press("记录手术", "")
	center.fill("手术编码", "50.5900")
	center.fill("COTRS 分配编号", "")
	center.fill("COTRS 分配编号 必填", "COTRS-DEMO-0001")
	center.send("记录手术")
	center.press("上传费用明细", "")
	center.fill("明细", "S-OP-LIVER, 示范肝移植手术, 45000, 1\nS-ICU, 重症监护床日费, 680, 9\nS-DRUG-TAC, 抗排异药品乙类, 98, 560\nS-CONS, 特殊耗材乙类, 13500, 3")
	center.press("上传明细", "")
	center.sees("费用明细 4 条")
	center.press("记录出院与康复计划", "")
	center.fill("康复计划文书号", "PLAN-DEMO-1")
	center.send("记录出院与康复计划")
	center.press("费用单出院结转", "")
	center.send("费用单出院结转")
	center.press("跨省直接结算", "")
	center.send("跨省直接结算")
	center.sees("基本医保统筹基金")
	center.sees("已跨省直接结算")
	center.fits("the bill")
}

func comesHome(coordinator, center *person) {
	center.t.Helper()
	center.press("其他操作", "")
	center.press("安排返回当地的转运", "")
	center.press("查询行程", "")
	center.press("预订此行程", "")
	center.press("复核返程条件", "")
	center.send("复核返程条件")
	center.press("登记返程出发", "")
	center.send("登记返程出发")
	center.press("下转当地医院", "")
	center.send("下转当地医院")
	coordinator.press("其他操作", "")
	coordinator.press("登记返程到达并交接", "")
	coordinator.tickAll("交接清单")
	coordinator.fill("代填转出方签名", "center-sh-3")
	coordinator.send("登记返程到达并交接")
	coordinator.sees("接收方代填")
	coordinator.press("接回患者", "")
	coordinator.send("接回患者")
	coordinator.sees("随访中")
	coordinator.press("登记随访", "")
	coordinator.fill("随访结果", "稳定")
	coordinator.send("登记随访")
	coordinator.sees("稳定")
	center.press("其他操作", "")
	center.press("核验专家执业备案", "")
	center.fill("专家工号", "staff-hf-7")
	center.fill("执业地点", "H-HF-01")
	center.fill("执业备案号", "ZY-DEMO-0001")
	center.fill("备案有效期至", clock.Day(clock.System().Now().AddDate(1, 0, 0)))
	center.send("核验专家执业备案")
	coordinator.press("其他操作", "")
	coordinator.press("开具抗排异处方", "")
	coordinator.fill("药品编码", "S-DRUG-TAC, S-DRUG-MMF")
	coordinator.fill("天数", "28")
	coordinator.send("开具抗排异处方")
	coordinator.sees("未关联")
	coordinator.press("将处方关联到费用单", "")
	coordinator.send("将处方关联到费用单")
	coordinator.do("lacks", "未关联")
	coordinator.fits("follow-up")
	coordinator.press("再次收治", "")
	coordinator.fill("说明", "肌酐升高")
	coordinator.send("再次收治")
	center.sees("评估中")
	center.press("记录出院与康复计划", "") // operated before, so not again
	// The stay of the readmission has a bill of its own; that of the first is still there to see.
	center.press("建立费用单", "")
	center.send("建立费用单")
	coordinator.sees("每次住院的费用")
	coordinator.sees("尚未结算")
	coordinator.press("查看 ", "")
	coordinator.sees("结算于")
	coordinator.do("lacks", "尚未结算")
	coordinator.fits("the bills of two stays")
}
