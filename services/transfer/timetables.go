package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/transfer/timetable"
)

// TimetableVersion is one imported version of a feed (时刻表版本).
type TimetableVersion struct {
	ID, Feed, Version, Digest          string
	Bytes                              int64
	Stops, Trips, Connections, LeftOut int
	FirstDay, LastDay                  string
	ImportedBy                         string
	ImportTime                         time.Time
	Sequence                           int64 // order of import
}

// Activation is from which service day on a version is in force.
type Activation struct {
	Sequence        int64 // order of activation
	VersionID, Feed string
	Day             string // YYYYMMDD
	By              string
	At              time.Time
}

// Timetables keeps versions of timetables and which of them are in force.
type Timetables interface {
	// InsertTimetable keeps a version and its compact form.
	InsertTimetable(ctx context.Context, v TimetableVersion, compact []byte) error
	// TimetableVersion: NOT_FOUND.
	TimetableVersion(ctx context.Context, id string) (TimetableVersion, error)
	// TimetableVersions returns at most limit versions with a sequence below before, or all, the last imported first.
	TimetableVersions(ctx context.Context, feed string, before int64, limit int) ([]TimetableVersion, error)
	// CompactTimetable: NOT_FOUND.
	CompactTimetable(ctx context.Context, id string) ([]byte, error)
	// Activations returns those that stand, in their order, and the version of the whole list.
	Activations(ctx context.Context) ([]Activation, int64, error)
	// ChangeActivations adds one, or withdraws one where withdraw is its sequence. STALE_VERSION when etag is not the
	// version of the list. It returns the new version.
	ChangeActivations(ctx context.Context, etag string, add *Activation, withdraw int64) (int64, error)
}

// ReadTimetable turns what reading a feed returned into a refusal that names the rows.
func ReadTimetable(t *timetable.Timetable, err error) (*timetable.Timetable, error) {
	if err == nil {
		return t, nil
	}
	wrong := new(timetable.FeedError)
	if !errors.As(err, &wrong) {
		return nil, err
	}
	f := fault.New(fault.InvalidArgument, fault.TimetableInvalid, "piece",
		"The feed has broken rows; nothing was changed.", "时刻表文件有错误行，未作任何更改。").With("errors", fmt.Sprint(len(wrong.Rows)))
	for _, row := range wrong.Rows[:min(len(wrong.Rows), shownErrors)] {
		f = f.Violate(row.Place(), row.Text, "该行有误："+row.Text)
	}
	return nil, f
}

// shownErrors fit into an answer's trailers; the offline check shows all of them.
const shownErrors = 20

// ImportTimetable keeps a timetable that was read from a feed as a version in force on no day yet.
func (s *Service) ImportTimetable(ctx context.Context, feed string, t *timetable.Timetable) (TimetableVersion, error) {
	compact := t.Encode()
	digest := sha256.Sum256(compact)
	v := TimetableVersion{
		ID: s.ids.New("ttv"), Feed: feed, Version: t.Version, Digest: hex.EncodeToString(digest[:]), Bytes: int64(len(compact)),
		Stops: len(t.Stops), Trips: len(t.Trips), Connections: len(t.Connections), LeftOut: t.LeftOut,
		FirstDay: t.From, LastDay: t.To, ImportedBy: access.From(ctx).Subject, ImportTime: s.clock.Now(),
	}
	return v, s.store.InsertTimetable(ctx, v, compact)
}

// ListTimetables returns a page of versions, and all activations that stand with their version. INVALID_PAGE_TOKEN.
func (s *Service) ListTimetables(ctx context.Context, feed string, size int32, token string) (list []TimetableVersion, next string, standing []Activation, etag int64, err error) {
	key := page.Filter("timetables", feed)
	after, err := page.Parse(key, token)
	if err != nil {
		return nil, "", nil, 0, err
	}
	before := int64(0)
	if after != "" {
		if _, err := fmt.Sscan(after, &before); err != nil {
			return nil, "", nil, 0, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is not valid.", "分页令牌无效。")
		}
	}
	limit := page.Size(size, 50, 200)
	if list, err = s.store.TimetableVersions(ctx, feed, before, limit+1); err != nil {
		return nil, "", nil, 0, err
	}
	if len(list) > limit {
		list = list[:limit]
		next = page.Token(key, fmt.Sprint(list[limit-1].Sequence))
	}
	standing, etag, err = s.store.Activations(ctx)
	return list, next, inOrder(standing), etag, err
}

// ActivateTimetable puts a version in force from a day on. NOT_FOUND; TIME_INVALID for a day gone by, too far ahead or
// after the version's last; STALE_VERSION.
func (s *Service) ActivateTimetable(ctx context.Context, id, day, etag string) (Activation, int64, error) {
	v, err := s.store.TimetableVersion(ctx, id)
	if err != nil {
		return Activation{}, 0, err
	}
	now := s.clock.Now()
	at, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	if err != nil || at.Before(timetable.Midnight(now)) || at.Sub(now) > furthestPlan {
		return Activation{}, 0, fault.New(fault.InvalidArgument, fault.TimeInvalid, "effective_day",
			"The day has gone by, is too far ahead, or is none.", "生效日期已过、过远或无效。")
	}
	if v.LastDay < day {
		return Activation{}, 0, fault.New(fault.FailedPrecondition, fault.TimeInvalid, "effective_day",
			"The version's last service day is before that day.", "该版本的最后运行日早于生效日期。").With("last_day", v.LastDay)
	}
	a := Activation{VersionID: id, Feed: v.Feed, Day: day, By: access.From(ctx).Subject, At: now}
	edition, err := s.store.ChangeActivations(ctx, etag, &a, 0)
	return a, edition, err
}

// RollBackTimetable withdraws the feed's last activation. NOT_FOUND when none stands; STALE_VERSION.
func (s *Service) RollBackTimetable(ctx context.Context, feed, etag string) (Activation, int64, error) {
	standing, _, err := s.store.Activations(ctx)
	if err != nil {
		return Activation{}, 0, err
	}
	for i := len(standing) - 1; i >= 0; i-- {
		if standing[i].Feed == feed {
			edition, err := s.store.ChangeActivations(ctx, etag, nil, standing[i].Sequence)
			return standing[i], edition, err
		}
	}
	return Activation{}, 0, fault.NotFoundf("activation", feed)
}

// inOrder sorts by feed and day; of two of one day the later stands after the earlier.
func inOrder(list []Activation) []Activation {
	slices.SortStableFunc(list, func(a, b Activation) int {
		return cmp.Or(cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sequence, b.Sequence))
	})
	return list
}

// parts are the versions in force and their days; what the line ran by before holds until the first of them.
func parts(base *timetable.Timetable, standing []Activation, tables map[string]*timetable.Timetable) []timetable.Part {
	var out []timetable.Part
	first := ""
	standing = inOrder(slices.Clone(standing))
	for i, a := range standing {
		until := ""
		if i+1 < len(standing) && standing[i+1].Feed == a.Feed {
			if until = standing[i+1].Day; until == a.Day {
				continue // another one of the same day counts
			}
		}
		out = append(out, timetable.Part{Feed: a.Feed, Table: tables[a.VersionID], From: a.Day, Until: until})
		if first == "" || a.Day < first {
			first = a.Day
		}
	}
	return append([]timetable.Part{{Feed: "", Table: base, Until: first}}, out...)
}

// Recheck makes the next plan look for what is in force.
func (s *Service) Recheck() {
	s.force.mu.Lock()
	defer s.force.mu.Unlock()
	s.force.checked = time.Time{}
}

// recheck is how old the knowledge of what is in force may be: another instance may have changed it.
const recheck = 5 * time.Second

// refresh installs what is in force where that has changed. A database that does not answer leaves what there is.
func (s *Service) refresh(ctx context.Context) error {
	now := s.clock.Now()
	// Who finds another one at it goes on with what there is: waiting here inside a transaction would hold its connection.
	if !s.force.mu.TryLock() {
		return nil
	}
	defer s.force.mu.Unlock()
	if since := now.Sub(s.force.checked); since >= 0 && since < recheck && !s.force.checked.IsZero() {
		return nil
	}
	standing, edition, err := s.store.Activations(ctx)
	if err != nil {
		return err
	}
	s.force.checked = now
	if edition == s.force.edition || s.force.edition == 0 && len(standing) == 0 {
		return nil
	}
	tables := map[string]*timetable.Timetable{}
	for _, a := range standing {
		if tables[a.VersionID] != nil {
			continue
		}
		compact, err := s.store.CompactTimetable(ctx, a.VersionID)
		if err != nil {
			return err
		}
		if tables[a.VersionID], err = timetable.Decode(compact); err != nil {
			return err
		}
	}
	table := s.force.base
	if len(standing) > 0 {
		table = timetable.Join(parts(s.force.base, standing, tables))
	}
	s.planner.Install(table)
	s.force.edition = edition
	return nil
}
