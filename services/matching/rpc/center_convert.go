package rpc

import (
	"context"
	"strings"
	"time"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

const (
	infectionPrefix = "INFECTION_"
	policyPrefix    = "INFECTION_POLICY_"
	resourcePrefix  = "QUOTA_RESOURCE_"
	periodPrefix    = "QUOTA_PERIOD_"
)

// shower shows centers with what is stale or small marked, by the weights in force.
type shower struct {
	scales ranking.Scales
	at     time.Time
}

func (s *Server) shower(ctx context.Context) (shower, error) {
	scales, at, err := s.use.Scales(ctx)
	return shower{scales, at}, err
}

func (s shower) center(c *directory.Center) *matchingv1.Center {
	out := &matchingv1.Center{
		CenterId: c.ID, NameZh: c.NameZh, NameEn: c.NameEn, Line: c.Line, City: c.City, DirectSettlement: directory.Direct().At(c.City), Etag: c.Etag(),
	}
	for i := range c.Programs {
		out.Programs = append(out.Programs, s.program(&c.Programs[i]))
	}
	for _, q := range c.Quotas {
		out.ReserveQuotas = append(out.ReserveQuotas, quotaTo(q))
	}
	return out
}

func (s shower) program(p *directory.Program) *matchingv1.Program {
	out := &matchingv1.Program{
		Organ: organTo(p.Organ), Adults: p.Adults, Children: p.Children, Open: p.Open, SurvivalTier: p.SurvivalTier, Volume: p.Volume,
		MedianWaitDays: p.MedianWaitDays, SmallVolume: p.SurvivalTier > 0 && p.Volume < s.scales.SmallVolume,
		Licence: &matchingv1.Licence{ValidFrom: p.Licence.ValidFrom, ValidTo: p.Licence.ValidTo, Suspended: p.Licence.Suspended, Revoked: p.Licence.Revoked},
		Criteria: &matchingv1.Criteria{
			MinAge: p.Criteria.MinAge, MaxAge: p.Criteria.MaxAge, MaxBmi: p.Criteria.MaxBMI, Retransplant: p.Criteria.Retransplant,
			AboIncompatible: p.Criteria.ABOIncompatible, LivingDonor: p.Criteria.LivingDonor, Hiv: p.Criteria.HIV,
			HccSet: p.Criteria.HCCSet, CallInMinutes: p.Criteria.CallInMinutes,
		},
	}
	for _, infection := range directory.Infections {
		if policy, ok := p.Criteria.Infections[infection]; ok {
			out.Criteria.Infections = append(out.Criteria.Infections, &matchingv1.InfectionCriterion{
				Infection: matchingv1.Infection(matchingv1.Infection_value[infectionPrefix+infection]),
				Policy:    matchingv1.InfectionPolicy(matchingv1.InfectionPolicy_value[policyPrefix+policy]),
			})
		}
	}
	if k := p.Capacity; k != nil {
		out.Capacity = &matchingv1.Capacity{
			FreePlaces: k.FreePlaces, AsOf: timeTo(k.AsOf), DeclaredBy: k.DeclaredBy, Stale: s.at.Sub(k.AsOf) > time.Duration(s.scales.StaleHours)*time.Hour,
		}
	}
	return out
}

// programFrom reads what UpdateProgram may change.
func programFrom(p *matchingv1.Program) (directory.Program, error) {
	c := p.GetCriteria()
	out := directory.Program{
		Organ: organFrom(p.GetOrgan()), Adults: p.GetAdults(), Children: p.GetChildren(), Open: p.GetOpen(), SurvivalTier: p.GetSurvivalTier(),
		Volume: p.GetVolume(), MedianWaitDays: p.GetMedianWaitDays(), Criteria: directory.Criteria{
			Retransplant: c.GetRetransplant(), ABOIncompatible: c.GetAboIncompatible(), LivingDonor: c.GetLivingDonor(), HIV: c.GetHiv(),
			HCCSet: c.GetHccSet(), CallInMinutes: c.GetCallInMinutes(),
		},
	}
	if c != nil {
		out.Criteria.MinAge, out.Criteria.MaxAge, out.Criteria.MaxBMI = c.MinAge, c.MaxAge, c.MaxBmi
	}
	for _, i := range c.GetInfections() {
		if out.Criteria.Infections == nil {
			out.Criteria.Infections = map[string]string{}
		}
		infection := strings.TrimPrefix(i.GetInfection().String(), infectionPrefix)
		if _, twice := out.Criteria.Infections[infection]; twice {
			return out, fault.New(fault.InvalidArgument, fault.FieldInvalid, "program.criteria.infections", "An infection has two policies.", "同一感染有两项政策。").With("infection", infection)
		}
		out.Criteria.Infections[infection] = strings.TrimPrefix(i.GetPolicy().String(), policyPrefix)
	}
	return out, nil
}

func quotaTo(q directory.Quota) *matchingv1.ReserveQuota {
	return &matchingv1.ReserveQuota{
		Resource: matchingv1.QuotaResource(matchingv1.QuotaResource_value[resourcePrefix+q.Resource]), Organ: organTo(q.Organ),
		Period: matchingv1.QuotaPeriod(matchingv1.QuotaPeriod_value[periodPrefix+q.Period]), Units: q.Units, Share: q.Share,
		ValidFrom: q.ValidFrom, ValidTo: q.ValidTo, Reserved: q.Reserved(),
	}
}

func quotaFrom(q *matchingv1.ReserveQuota) directory.Quota {
	return directory.Quota{
		Resource: code(resourcePrefix, q.GetResource().String(), int32(q.GetResource())), Organ: organFrom(q.GetOrgan()),
		Period: code(periodPrefix, q.GetPeriod().String(), int32(q.GetPeriod())), Units: q.GetUnits(), Share: q.GetShare(),
		ValidFrom: q.GetValidFrom(), ValidTo: q.GetValidTo(),
	}
}
