// Package directorytest makes directories of any size for tests and figures. Every center in them is invented (示范).
package directorytest

import (
	"fmt"
	"time"

	"huhang.example/services/internal/place"
	"huhang.example/services/matching/directory"
)

// Many makes n centers over the country's cities, each with a program for every organ; of the programs about one in ten
// is closed, suspended or of an expired licence, and the criteria differ. The same n gives the same centers.
func Many(n int, at time.Time) []*directory.Center {
	cities := place.All()
	centers := make([]*directory.Center, 0, n)
	for i := range n {
		c := &directory.Center{
			ID: fmt.Sprintf("C-X%03d-01", i), NameZh: fmt.Sprintf("示范移植中心%d", i), NameEn: fmt.Sprintf("Sample Center %d", i),
			Line: directory.Lines[i%len(directory.Lines)], City: cities[i*7%len(cities)].Code, Version: 1,
		}
		for j, organ := range directory.Organs {
			c.Programs = append(c.Programs, program(i*31+j*17, organ, c.ID, at))
		}
		centers = append(centers, c)
	}
	return centers
}

func program(k int, organ, center string, at time.Time) directory.Program {
	p := directory.Program{
		Organ: organ, Adults: k%13 != 0, Children: k%3 == 0, Open: k%29 != 0,
		Licence: directory.Licence{ValidFrom: "2024-01-01", ValidTo: "2034-12-31", Suspended: k%37 == 0},
		Criteria: directory.Criteria{
			Retransplant: k%5 != 0, ABOIncompatible: k%4 == 0, LivingDonor: k%6 != 0, HIV: k%9 == 0,
			Infections: map[string]string{"ACTIVE": directory.Policies[k%3], "HBV": directory.Policies[(k/3)%3], "TB": directory.NeedsTreatment},
		},
		SurvivalTier: int32(k % 6), Volume: int32(5 + k*11%400), MedianWaitDays: int32(k * 13 % 700),
		Capacity: &directory.Capacity{FreePlaces: int32(k % 7), AsOf: at.Add(-time.Duration(k%72) * time.Hour), DeclaredBy: center},
	}
	if k%41 == 0 {
		p.Licence.ValidTo = "2025-12-31"
	}
	if organ == "LIVER" {
		p.Criteria.HCCSet = directory.HCCSets[k%4]
	}
	if age, bmi := int32(60+k%25), float64(28+k%12); k%2 == 0 {
		p.Criteria.MaxAge, p.Criteria.MaxBMI = &age, &bmi
	}
	if k%3 == 1 {
		p.Criteria.CallInMinutes = int32(240 + k%5*120)
	}
	return p
}
