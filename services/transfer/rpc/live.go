package rpc

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/types/known/timestamppb"

	placev1 "huhang.example/gen/huhang/place/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/show"
)

// LiveServer implements the service that shows transfers.
type LiveServer struct {
	transferv1.UnimplementedLiveServiceServer
	service *transfer.Service
}

// NewLive returns the server that shows transfers.
func NewLive(service *transfer.Service) *LiveServer { return &LiveServer{service: service} }

// GetTransferLive returns where a transfer is.
func (s *LiveServer) GetTransferLive(ctx context.Context, req *transferv1.GetTransferLiveRequest) (*transferv1.GetTransferLiveResponse, error) {
	live, err := s.service.GetLive(ctx, req.GetTransferId())
	if err != nil {
		return nil, err
	}
	t := live.Transfer
	answer := &transferv1.GetTransferLiveResponse{
		Transfer: transferTo(t), CurrentLeg: int32(live.Current), PositionTime: stamp(live.Position.At), ExpectedArriveTime: stamp(live.Arrive),
		Position: &placev1.Point{Latitude: live.Position.Lat, Longitude: live.Position.Lon}, DoorTime: stamp(t.DoorTime),
		AsOf: timestamppb.New(live.AsOf), OutsideVehicles: t.Outside,
	}
	if a := t.Attention; a != nil {
		answer.Attention = &transferv1.TransferAttention{Code: a.Code, SinceTime: stamp(a.Since), DetailZh: a.Detail.Zh, DetailEn: a.Detail.En}
	}
	for i, leg := range live.Legs {
		one := &transferv1.LegProgress{ExpectedDepartTime: stamp(leg.Depart), ExpectedArriveTime: stamp(leg.Arrive), State: legState(live, i)}
		if i < len(t.Tracks) {
			one.DepartedTime, one.ArrivedTime = stamp(t.Tracks[i].Departed), stamp(t.Tracks[i].Arrived)
		}
		answer.Legs = append(answer.Legs, one)
	}
	return answer, nil
}

func legState(live transfer.Live, i int) transferv1.LegState {
	switch {
	case live.Transfer.Status == transfer.Arrived || live.Current > i:
		return transferv1.LegState_LEG_STATE_DONE
	case live.Transfer.Status == transfer.InTransit && live.Current == i:
		return transferv1.LegState_LEG_STATE_UNDER_WAY
	}
	return transferv1.LegState_LEG_STATE_AHEAD
}

func languageFrom(l transferv1.PictureLanguage) show.Language {
	if l == transferv1.PictureLanguage_PICTURE_LANGUAGE_EN {
		return show.English
	}
	return show.Chinese
}

// GetTransferPicture draws a transfer.
func (s *LiveServer) GetTransferPicture(ctx context.Context, req *transferv1.GetTransferPictureRequest) (*httpbody.HttpBody, error) {
	live, err := s.service.GetLive(ctx, req.GetTransferId())
	if err != nil {
		return nil, err
	}
	draw := show.Strip
	if req.GetStyle() == transferv1.PictureStyle_PICTURE_STYLE_MAP {
		draw = show.Map
	}
	return &httpbody.HttpBody{ContentType: "image/svg+xml", Data: draw(live, languageFrom(req.GetLanguage()))}, nil
}

// GetTransferCalendar returns the legs as iCalendar.
func (s *LiveServer) GetTransferCalendar(ctx context.Context, req *transferv1.GetTransferCalendarRequest) (*httpbody.HttpBody, error) {
	live, err := s.service.GetLive(ctx, req.GetTransferId())
	if err != nil {
		return nil, err
	}
	audience := show.Crew
	if req.GetAudience() == transferv1.CalendarAudience_CALENDAR_AUDIENCE_FAMILY {
		audience = show.Family
	}
	return &httpbody.HttpBody{ContentType: "text/calendar; charset=utf-8", Data: show.Calendar(live, languageFrom(req.GetLanguage()), audience)}, nil
}

// ListTransferChanges lists what changed since a cursor.
func (s *LiveServer) ListTransferChanges(ctx context.Context, req *transferv1.ListTransferChangesRequest) (*transferv1.ListTransferChangesResponse, error) {
	list, next, more, err := s.service.ListChanges(ctx, req.GetCursor(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListTransferChangesResponse{Cursor: next, More: more}
	for _, c := range list {
		answer.Changes = append(answer.Changes, &transferv1.TransferChange{
			TransferId: c.TransferID, ReferralId: c.ReferralID, Kind: c.Kind, Time: timestamppb.New(c.At.UTC().Truncate(time.Microsecond)),
			Detail: c.Detail, ExpectedArriveTime: stamp(c.Arrive), Etag: strconv.FormatInt(c.Version, 10),
		})
	}
	return answer, nil
}
