package patient

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/patient/clinical"
	"huhang.example/services/patient/document"
	"huhang.example/services/patient/recognition"
)

// Store keeps patients, access and clinical versions. Every method that changes something runs in the transaction its
// context carries, or in one of its own.
type Store interface {
	// Insert adds a patient. Faults: PATIENT_DUPLICATE, with patient_id in its metadata, when the number or the person is known.
	Insert(ctx context.Context, p *Patient) error
	// Get returns a patient; the id of a merged record returns the survivor, here and in every method. Faults: NOT_FOUND.
	Get(ctx context.Context, id string) (*Patient, error)
	// FindNumber and FindPerson return the id of the registered patient, empty when there is none.
	FindNumber(ctx context.Context, number IdentityNumber) (string, error)
	FindPerson(ctx context.Context, name, birthDate, phone string) (string, error)
	// FindName returns at most limit patients of a name, as IndexName compares it, that an organisation may see, newest
	// first; organisation empty: all.
	FindName(ctx context.Context, name, organisation string, limit int) ([]*Patient, error)
	// Update changes a patient. Faults: NOT_FOUND, STALE_VERSION; and what change returns, with nothing written.
	Update(ctx context.Context, id, etag string, change func(*Patient) error) (*Patient, error)
	// List returns at most limit patients with an id before the cursor (newest first); organisation empty: all.
	List(ctx context.Context, organisation, before string, limit int) ([]*Patient, error)
	// MaySee tells whether a case gave the organisation access.
	MaySee(ctx context.Context, id, organisation string) (bool, error)
	// Grant gives access, again where it was revoked. It is kept with the record the case names, so that it goes along when
	// that record is separated from a survivor. Faults: NOT_FOUND.
	Grant(ctx context.Context, id, organisation, referralID string, at time.Time) error
	// Revoke ends what was granted up to a time, and tells whether anything held. Faults: NOT_FOUND.
	Revoke(ctx context.Context, id, organisation, referralID, reason string, until, at time.Time) (bool, error)
	// Grants returns at most limit grants of a record and those merged into it, newest first.
	Grants(ctx context.Context, id string, limit int) ([]Grant, error)
	// Merge keeps m.Merged under m.Survivor when check agrees with both records as they are. Faults: NOT_FOUND,
	// STALE_VERSION, and what check returns.
	Merge(ctx context.Context, m *Merge, etag, mergedEtag string, check func(survivor, merged *Patient) error) (*Patient, error)
	// Unmerge ends a merge when end agrees; merged is the record as it will be. Faults: NOT_FOUND, and what end returns.
	Unmerge(ctx context.Context, mergeID string, end func(m *Merge, survivor, merged *Patient) error) (*Merge, error)
	// Merges returns at most limit merges a record took part in, newest first.
	Merges(ctx context.Context, id string, limit int) ([]*Merge, error)
	// AddClinical stores the next version, which next makes from the present one (nil before the first). Faults:
	// STALE_VERSION when etag is not the present version ("" for the first); and what next returns.
	AddClinical(ctx context.Context, id, organ, etag string, next func(before *Record) (*Record, error)) (*Record, error)
	// LatestClinical returns the latest version. Faults: NOT_FOUND.
	LatestClinical(ctx context.Context, id, organ string) (*Record, error)
	// ClinicalVersions returns at most limit versions older than before (0: from the latest), newest first.
	ClinicalVersions(ctx context.Context, id, organ string, before int32, limit int) ([]*Record, error)

	ResultStore
	DocumentStore
}

// ResultStore keeps results and what hospitals make of them.
type ResultStore interface {
	// InsertResult adds a result.
	InsertResult(ctx context.Context, r *recognition.Result) error
	// Results returns at most limit results with their judgements, newest examination first, behind the cursor ("day id");
	// item empty: all.
	Results(ctx context.Context, id, item, after string, limit int) ([]*recognition.Result, error)
	// Judge adds the judgement that decide makes; it replaces the hospital's earlier one. Faults: NOT_FOUND, and what decide
	// returns.
	Judge(ctx context.Context, id, resultID string, decide func(*recognition.Result) (recognition.Judgement, error)) (*recognition.Result, error)
	// SumAvoided sums the judgements that hold, by month and hospital; empty bounds and organisation: all.
	SumAvoided(ctx context.Context, from, to, organisation string, limit int) ([]recognition.Sum, error)
}

// DocumentStore keeps documents, encrypted.
type DocumentStore interface {
	// InsertDocument keeps a document and owes its scan, if fits agrees with what the patient has. Faults: what fits returns.
	InsertDocument(ctx context.Context, d *document.Document, content []byte, fits func(count, total, size int64) error) error
	// Document returns what is known of a document. Faults: NOT_FOUND.
	Document(ctx context.Context, id string) (*document.Document, error)
	// Documents returns at most limit documents, newest first.
	Documents(ctx context.Context, id string, limit int) ([]*document.Document, error)
	// Content returns what a document contains.
	Content(ctx context.Context, d *document.Document) ([]byte, error)
	// UpdateDocument changes a document, and deletes what it contained once it is infected or withdrawn. Faults: NOT_FOUND,
	// and what change returns.
	UpdateDocument(ctx context.Context, id string, change func(*document.Document) error) (*document.Document, error)
}

// Scanner judges what documents contain. Faults: PEER_UNAVAILABLE while it is away.
type Scanner interface {
	Scan(ctx context.Context, content []byte) (document.Verdict, error)
}

// Peers are what patient asks of the line's other services. Faults are the peer's, PEER_UNAVAILABLE among them.
type Peers interface {
	// LiveCases returns the cases of a record that go on.
	LiveCases(ctx context.Context, patientID string) ([]LiveCase, error)
	// Cases returns all cases of a record.
	Cases(ctx context.Context, patientID string) ([]LiveCase, error)
	// FactsChanged tells a case that data of its patient changed.
	FactsChanged(ctx context.Context, requestID, referralID string, e Edit) error
}

// Record is a stored version of clinical data. It keeps what followed from it on that day: the scores, and when each
// datum last changed.
type Record struct {
	Clinical   clinical.Clinical
	Version    int32
	RecordedAt time.Time
	RecordedBy string
	Subject    string
	Rules      string // version of formulas and rules; empty on records older than the field
	Scores     []clinical.Score
	Changed    map[string]DatumTime
}

// DatumTime is when a datum last changed, and by which version.
type DatumTime struct {
	At      time.Time `json:"at"`
	Version int32     `json:"version"`
}

// Etag is the version a next update names.
func (r *Record) Etag() string { return strconv.Itoa(int(r.Version)) }
