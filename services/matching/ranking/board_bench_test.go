package ranking

import (
	"testing"

	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory/directorytest"
)

// many is the sample's patient before a directory of n centers of which everything is known.
func many(n int) (*Board, Question) {
	board := NewBoard(directorytest.Many(n, at), "LIVER", current())
	q := Question{At: at, Patient: sample().Patient, Preferred: []string{"C-X007-01", "C-X011-01"}, Refused: []string{"C-X003-01"}}
	for i := range board.rows {
		q.Found = append(q.Found, Found{
			DoorToDoor: ptr(int32(120 + i*5)), FreeBeds: ptr(int32(i % 6)), SelfPay: ptr(money.Fen(10_000_000 + i*50_000)), DirectSettlement: i%3 == 0,
		})
	}
	return board, q
}

func BenchmarkRank188(b *testing.B) {
	board, q := many(188)
	b.ReportAllocs()
	for b.Loop() {
		board.Rank(q)
	}
}

func BenchmarkTell188(b *testing.B) {
	board, q := many(188)
	ranking := board.Rank(q)
	b.ReportAllocs()
	for b.Loop() {
		ranking.Result()
	}
}

func BenchmarkNewBoard188(b *testing.B) {
	centers := directorytest.Many(188, at)
	b.ReportAllocs()
	for b.Loop() {
		NewBoard(centers, "LIVER", current())
	}
}

// The figures are taken of a ranking that has both sides.
func TestMany(t *testing.T) {
	board, q := many(188)
	out := board.Rank(q).Result()
	if len(out.Ranked) < 40 || len(out.Excluded) < 40 || len(out.Ranked)+len(out.Excluded) != 188 {
		t.Fatalf("%d ranked, %d excluded", len(out.Ranked), len(out.Excluded))
	}
}
