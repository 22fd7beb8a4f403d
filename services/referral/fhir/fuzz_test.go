package fhir_test

import (
	"reflect"
	"testing"

	"huhang.example/services/internal/fault"
	"huhang.example/services/referral/fhir"
)

// FuzzTake: whatever comes in is taken or refused as the sender's mistake, and what is taken can be written and read again.
func FuzzTake(f *testing.F) {
	if text, err := fhir.Render(sampleDraft()); err == nil {
		f.Add(text)
	}
	if text, err := fhir.Export(sampleFacts("BOOKED", "")); err == nil {
		f.Add(text)
	}
	f.Add([]byte(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _, err := fhir.Take(text)
		if err != nil {
			if refused, ok := fault.As(err); !ok || refused.Code == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		again, err := fhir.Render(d)
		if err != nil {
			t.Fatal(err)
		}
		if back, notTaken, err := fhir.Take(again); err != nil || len(notTaken) > 0 || !reflect.DeepEqual(back, d) {
			t.Fatalf("%v %v\n%+v\n%+v", err, notTaken, d, back)
		}
	})
}
