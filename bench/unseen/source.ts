import {Plant,type Watered} from "./plant";
export interface Bed<T extends Plant=Plant> { readonly name:string; plants:Map<string,T>; size?:number }
const enum Kind { Flower=1, Herb=Flower<<1 }
export abstract class Garden<T extends Plant> implements Iterable<Bed<T>> {
  #beds:Bed<T>[]=[]; static readonly limit=10_000;
  constructor(private readonly owner:string, protected kind:Kind=Kind.Herb){}
  async *water(litres=1.5,{only=[] as string[],...rest}:{only?:string[];[key:string]:unknown}={}):AsyncGenerator<Watered> {
    for(const {name,plants} of this.#beds){ if(only.length>0&&!only.includes(name)) continue;
      for await(const [key,plant] of plants.entries()) yield {name:`${name}/${key}`,amount:plant?.thirst??litres**2,rest:rest as any} }
  }
  abstract grow(days:number):Promise<void>;
  [Symbol.iterator]() { return this.#beds[Symbol.iterator](); }
}
export const pick=<K extends string,V>(o:Record<K,V>,...keys:K[])=>keys.map(k=>o[k]).filter((v):v is NonNullable<typeof v>=>v!=null&&v!==undefined)
