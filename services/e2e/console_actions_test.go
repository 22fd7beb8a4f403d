package e2e

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"huhang.example/services/internal/sqldb/sqldbtest"
)

var (
	pocket = look{language: "zh-CN", width: 360, height: 740}
	night  = look{language: "en-GB", width: 1280, height: 900, dark: true}
)

// weakLink is a way to the line on which the feed can be cut.
type weakLink struct {
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	ctx   context.Context
	cut   context.CancelFunc
}

func (w *weakLink) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/events") {
		w.mu.Lock()
		link := w.ctx
		w.mu.Unlock()
		if link.Err() != nil {
			to.WriteHeader(http.StatusBadGateway)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(link, cancel)()
		r = r.WithContext(ctx)
	}
	w.proxy.ServeHTTP(to, r)
}

// mend lets the feed through until cut is called again.
func (w *weakLink) mend(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx, w.cut = context.WithCancel(ctx)
}

func weak(t *testing.T, base string) (*weakLink, string) {
	t.Helper()
	line, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	w := &weakLink{proxy: &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(line)
		r.Out.Host = r.In.Host
	}}}
	w.mend(context.WithoutCancel(t.Context()))
	w.proxy.ErrorLog = log.New(io.Discard, "", 0)
	server := httptest.NewServer(w)
	t.Cleanup(func() { w.cut(); server.Close() })
	return w, server.URL
}

// What does not happen on the straight way happens through the console too: a panel of experts, a stopped clock, a closed
// case, a center that declines; a document goes in and comes out; who was told opens it; a cut feed is taken up again.
func TestConsoleActions(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	base := "http://" + l.Gateway.HTTPAddr()
	b := startBrowser(t, base)
	link, through := weak(t, base)
	first := l.drive(t, "console-actions-1", 41, "submitted").ReferralID
	other := l.drive(t, "console-actions-2", 42, "offered")
	second := other.ReferralID

	coordinator := b.visitAt(t, through, "staff-hf-7", desktop)
	formsFitTheContract(coordinator)
	coordinator.open("/cases/" + first)
	coordinator.sees("下一步操作")
	coordinator.sees("实时") // before there was an event
	coordinator.run(chromedp.Evaluate("window.huhangMark = true", nil))
	link.cut()
	coordinator.sees("连接中断，正在重连")

	desk := b.arrive(t, base, "desk-2", phone)
	stopsTheClock(desk, first)
	coordinator.do("lacks", "waiting for a result")
	link.mend(context.WithoutCancel(t.Context()))
	coordinator.press("立即重连", "")
	coordinator.sees("实时")
	coordinator.sees("计时已暂停：waiting for a result")
	coordinator.do("marked", "")

	desk.press("Let the clock run again", "")
	desk.send("Let the clock run again")
	desk.do("lacks", "Clock stopped")
	desk.fits("a case with its other actions, on a phone in the dark")
	asksExperts(b, desk, first)

	coordinator.press("其他操作", "")
	coordinator.press("结案并说明原因", "")
	coordinator.press("结案并说明原因", "结案并说明原因")
	coordinator.sees("请填写此项")
	coordinator.fill("原因", "患者死亡")
	coordinator.send("结案并说明原因")
	coordinator.sees("已结案")
	coordinator.sees("目前无需您操作")
	// A merge that would carry this death to a living patient says what it would do, and does nothing.
	coordinator.press("合并同一患者的另一档案", "")
	coordinator.fill("并入的档案编号", other.PatientID)
	coordinator.fill("原因（勿写患者信息）", "重复登记")
	coordinator.press("合并同一患者的另一档案", "合并同一患者的另一档案")
	coordinator.sees("另一档案的在办病例（1例）将结案")
	coordinator.press("取消", "")
	desk.press("Correct a death recorded by mistake", "")
	desk.fill("How it is known that the patient lives", "The hospital called.")
	desk.send("Correct a death recorded by mistake")
	coordinator.sees("由患者选择移植中心")
	coordinator.do("lacks", "起多次未成功") // the line's own steps went through

	documents(coordinator, second)
	center := b.visit(t, "center-sh-3", pocket)
	recognises(coordinator, center, second)
	declines(center, coordinator, second)
	for _, p := range []*person{coordinator, desk, center} {
		p.behaved()
	}
}

// asksExperts asks a panel of one, who is told, answers, and is told of the end.
func asksExperts(b *browser, desk *person, id string) {
	t := desk.t
	t.Helper()
	desk.press("Ask a panel of experts", "")
	desk.fill("Kind", "Remote")
	desk.fill("What the panel is asked", "Is a transplant indicated?")
	desk.fill("Panel, one a line", "C-SH-02 center-sh-8 hepatology")
	desk.send("Ask a panel of experts")
	desk.sees("Consultation")

	expert := b.visit(t, "center-sh-8", night)
	expert.press("Notifications, 1 unread", "")
	expert.sees("An expert's opinion is asked")
	expert.fits("the inbox in the dark")
	expert.press("Open the case", "")
	expert.press("Record your opinion", "")
	expert.fill("Too early", "")
	expert.press("Record your opinion", "Record your opinion")
	expert.sees("Fill in this field") // only "indicated" needs no reason
	expert.fill("Indicated", "")
	expert.send("Record your opinion")
	expert.sees("1 of 1 opinions")
	expert.press("Notifications, none unread", "") // opening the case opened the notice

	desk.press("Conclude the consultation", "")
	desk.fill("Indicated", "")
	desk.send("Conclude the consultation")
	desk.sees("Matched, to choose") // screening is over at once: the line ranks by itself
	expert.sees("The panel holds the transplant indicated")
	expert.behaved()
}

const pdf = "%PDF-1.7\n示范报告\n%%EOF\n"

// documents takes a file in, waits for its scan, gives it out, and takes it back.
func documents(p *person, id string) {
	t := p.t
	t.Helper()
	dir := t.TempDir()
	report, wrong := filepath.Join(dir, "report.pdf"), filepath.Join(dir, "wrong.pdf")
	for name, text := range map[string]string{report: pdf, wrong: "<html>示范</html>"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.open("/cases/" + id)
	p.sees("还没有文档")
	p.press("上传文档", "文档")
	p.fill("类型", "检验检查报告")
	choose := func(file string) {
		p.run(chromedp.SetUploadFiles("input[type=file]", []string{file}, chromedp.ByQuery))
	}
	choose(wrong)
	p.do("submit", "文档")
	p.sees("需要更正")
	p.fits("a document refused")
	choose(report)
	p.do("submit", "文档")
	p.sees("检查于") // the page follows the scan
	p.press("下载 检验检查报告", "文档")
	p.sees("已下载 doc_")
	sqldbtest.Eventually(t, "the file is there as it was sent", func() bool {
		found, err := filepath.Glob(filepath.Join(p.files, "doc_*.pdf"))
		if err != nil || len(found) != 1 {
			return false
		}
		text, err := os.ReadFile(found[0])
		return err == nil && string(text) == pdf
	})
	p.fits("a document")
	p.press("撤回 检验检查报告", "文档")
	p.fill("撤回原因", "传错了文件")
	p.do("submit", "文档")
	p.sees("传错了文件")
	p.do("lacks", "检查通过")
}

// recognises records a result at one hospital; the center takes it instead of repeating the examination.
func recognises(coordinator, center *person, id string) {
	center.t.Helper()
	coordinator.press("登记结果", "检查检验结果与互认")
	coordinator.fill("项目", "白蛋白")
	coordinator.fill("数值", "31")
	coordinator.fill("单位", "g/L")
	coordinator.fill("互认标识", "全国互认")
	coordinator.do("submit", "检查检验结果与互认")
	coordinator.sees("全国互认 HR")
	center.open("/cases/" + id)
	center.press("判定 白蛋白", "检查检验结果与互认")
	center.fill("需重复检查", "")
	center.fill("需重复检查的原因", "其他")
	center.do("submit", "检查检验结果与互认")
	center.sees("请填写此项") // "other" needs words
	center.fill("互认", "")
	center.do("submit", "检查检验结果与互认")
	center.sees("节省 ¥")
	center.fits("results on a phone")
}

// declines takes an offer from the inbox and says no; the referrer is told at once, and sees who opened what.
func declines(center, coordinator *person, id string) {
	center.t.Helper()
	center.press("通知，", "")
	center.sees("有转诊邀约待答复")
	center.fits("the inbox on a phone")
	center.press("打开病例 有转诊邀约待答复", "")
	center.press("不接收并说明原因", "")
	center.fill("不接收原因", "其他（请说明）")
	center.press("不接收并说明原因", "不接收并说明原因")
	center.sees("请填写此项") // "other" needs words
	center.fill("不接收原因", "无床位")
	center.fits("a form on a phone")
	center.send("不接收并说明原因")
	center.open("/offers")
	center.sees("未接收")

	coordinator.sees("移植中心未接收 C-SH-01") // on the case page, by itself
	coordinator.press("C-SH-01", "通知与打开情况")
	coordinator.do("opened", "有转诊邀约待答复")
	coordinator.fits("who was told")
	coordinator.press("通知，", "")
	coordinator.sees("全部标为已读")
	coordinator.do("reads") // a notice may come after the others
	coordinator.press("全部", "")
	coordinator.sees("staff-hf-7")
	coordinator.fits("the whole inbox")
	coordinator.press("English", "")
	coordinator.sees("The center did not take the case")
	coordinator.fits("the inbox in English")
}
