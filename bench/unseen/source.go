package garden

import ("fmt"; "sort"
  "strings")

// Bed is a bed of plants.
type Bed struct { Name string
   Plants map[string]float64 `json:"plants,omitempty"`
 watered chan struct{} }

func (b *Bed) Water(litres float64,only ...string) (names []string, err error) {
 for name,thirst:=range b.Plants { if len(only)>0 && !contains(only,name) { continue }
   switch x:=thirst*litres; { case x>3.5: names=append(names,fmt.Sprintf("%s: %.2f",strings.ToUpper(name),x))
   case x<0: return nil,fmt.Errorf("%q: %w", name, errNegative)
   default: defer func() { <-b.watered }() } }
 sort.Slice(names,func(i,j int) bool { return names[i]<names[j] })
  return}

func contains[T comparable](list []T,what T) bool { for _,x:=range list { if x==what { return true } }
return false }
