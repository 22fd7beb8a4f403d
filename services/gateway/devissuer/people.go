package devissuer

// Person is somebody of the sample line to sign in as (示范人员). All of them are invented.
type Person struct {
	Subject, Organisation, Province, Role string
	// NameZh and NameEn say who it is, by post and place.
	NameZh, NameEn string
}

// People are the sample line's, by what they do.
var People = []Person{
	{"staff-hf-7", "H-HF-01", "", "coordinator", "移植协调员 · 合肥示范医院", "Coordinator · Hefei Sample Hospital"},
	{"staff-nc-2", "H-NC-01", "", "coordinator", "移植协调员 · 南昌示范医院", "Coordinator · Nanchang Sample Hospital"},
	{"center-sh-3", "C-SH-01", "", "center", "移植中心 · 上海示范移植中心一", "Center · Shanghai Sample Center 1"},
	{"center-sh-8", "C-SH-02", "", "center", "移植中心 · 上海示范移植中心二", "Center · Shanghai Sample Center 2"},
	{"center-bj-1", "C-BJ-01", "", "center", "移植中心 · 北京示范移植中心一", "Center · Beijing Sample Center 1"},
	{"center-gz-1", "C-GZ-01", "", "center", "移植中心 · 广州示范移植中心一", "Center · Guangzhou Sample Center 1"},
	{"desk-2", "OPS", "", "operations", "专线运营 · 审核与调度", "Operations · the line's desk"},
	{"agent-34-1", "A-340000", "340000", "agency", "医保经办 · 安徽", "Insurance agency · Anhui"},
	{"agent-31-1", "A-310000", "310000", "agency", "医保经办 · 上海", "Insurance agency · Shanghai"},
}
