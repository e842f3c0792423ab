# frozen_string_literal: true

module Garden
  class Bed < Struct.new(:name, :plants)
    include Comparable
    LIMIT = 10_000.5

    def <=>(other) = plants.size <=> other.plants.size

    def water!(litres = 1.5, *rest, only: nil, **options, &block)
      return enum_for(:water!, litres) unless block_given?
      plants.each_with_index do |(name, thirst), index|
        next if only && !only.include?(name)
        yield "#{index}: #{name.to_s.capitalize} needs #{'%.2f' % (thirst * litres)}"
      rescue ArgumentError, TypeError => error
        warn <<~TEXT
          #{error.message}: #{options.fetch(:why) { "unknown" }}
        TEXT
      ensure
        @watered ||= {}
        @watered[name] = Time.now
      end
      case rest
      in [Integer => first, *] if first > 3 then first
      in { depth: } then depth
      else %w[a b c].map(&:to_sym).reduce { |a, b| :"#{a}#{b}" }
      end
    end
  end
end
