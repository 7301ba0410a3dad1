import type { Weights } from '../src/matcher/weights.js';

// Written by `npm run bench -- weights`, frozen with the matcher; nobody labelled a pair. Of each level of each field, the
// share among pairs of one entity, among strangers (random pairs) and among kin (pairs that blocking finds and identifiers
// tell apart). What was assumed instead, and why, stands in src/matcher/zh-weights.ts.
export const WEIGHTS_1: Weights = {
  version: 'zh-1',
  populationBits: 20,
  kinBits: 0.5,
  levels: {
    legal: {
      account: {
        equal: [0.05, 9.54e-7, 0.004],
      },
      address: {
        building: [0.0391, 0.0000817, 0.00595],
        neighbour: [0.00397, 0.00439, 0.0587],
        number: [0.339, 0.0000636, 0.0774],
        otherPlace: [0.0539, 0.995, 0.79],
        road: [0.282, 0.000136, 0.1],
        room: [0.271, 0.0000272, 0.0379],
        sameRoad: [0.0112, 0.0000272, 0.00679],
      },
      bankAccount: {
        different: [0.16, 1, 0.977],
        equal: [0.825, 7.45e-9, 0.0231],
        masked: [0.0147, 0.00000381, 0.0008],
      },
      brand: {
        different: [0.279, 1, 0.676],
        equal: [0.721, 0.00043, 0.324],
      },
      email: {
        different: [0.072, 1, 0.719],
        equal: [0.928, 2.98e-8, 0.281],
      },
      name: {
        brand: [0.103, 0.0000858, 0.025],
        brandOther: [0.0277, 0.139, 0.026],
        close: [0.0016, 0.0001, 0.01],
        contained: [0.005, 0.00003, 0.005],
        different: [0.0375, 0.776, 0.284],
        equal: [0.12, 0.0000309, 0.0576],
        lookAlike: [0.036, 0.00001, 0.006],
        oneDiffers: [0.03, 0.00003, 0.06],
        oneMissing: [0.03, 0.00001, 0.006],
        operator: [0.0155, 0.00000343, 0.000831],
        operatorOther: [0.000186, 0.0147, 0.00521],
        otherBranch: [0.00168, 0.0000377, 0.128],
        otherForm: [0.00000907, 0.00000343, 0.00155],
        otherPlace: [0.000129, 0.0000103, 0.222],
        otherTrade: [0.00222, 0.000113, 0.185],
        sameSound: [0.07, 0.00001, 0.025],
        short: [0.000266, 0.00000343, 0.00781],
        slips: [0.0024, 0.00001, 0.001],
        spelled: [0.0517, 0.000024, 0.0176],
        spelledClose: [0.0000228, 0.00000343, 0.0000128],
        spelledOtherwise: [0.0202, 0.0704, 0.016],
        whole: [0.453, 0.0000103, 0.0142],
      },
      phone: {
        different: [0.305, 1, 0.861],
        equal: [0.202, 5.96e-8, 0.0435],
        equalLater: [0.279, 2.38e-7, 0.0745],
        masked: [0.213, 0.0000732, 0.0209],
      },
      region: {
        different: [0.0167, 0.962, 0.33],
        same: [0.685, 0.00214, 0.157],
        sameCity: [0.0414, 0.00393, 0.146],
        sameProvince: [0.01, 0.03, 0.17],
        within: [0.257, 0.00393, 0.18],
      },
      registrationNumber: {
        different: [0.000835, 0.999, 0.974],
        equal: [0.999, 3.73e-9, 0.0175],
      },
      representative: {
        different: [0.0427, 1, 0.656],
        equal: [0.957, 0.000117, 0.342],
        oneDiffers: [0.0000198, 0.00017, 0.000832],
        sameSound: [0.0000203, 0.0000269, 0.00135],
      },
      representativeId: {
        different: [0.0187, 0.996, 0.482],
        equal: [0.257, 0.00129, 0.155],
        masked: [0.722, 0.00129, 0.343],
        maskedWeakly: [0.00237, 0.00129, 0.0196],
      },
      residentId: {
        different: [0.00253, 0.999, 0.967],
        equal: [0.275, 9.31e-10, 0.0209],
        masked: [0.713, 4.77e-7, 0.0123],
        maskedWeakly: [0.00869, 0.000106, 0.000125],
      },
      uscc: {
        different: [0.005, 1, 1],
        equal: [0.85, 9.31e-10, 0.004],
        repaired: [0.1, 1.49e-8, 0.002],
      },
    },
    person: {
      account: {
        equal: [0.05, 9.54e-7, 0.004],
      },
      address: {
        building: [0.00105, 0.0000202, 0.0000371],
        neighbour: [0.0155, 0.0326, 0.0384],
        number: [0.0401, 0.0000202, 0.00134],
        otherPlace: [0.114, 0.967, 0.955],
        road: [0.0111, 0.0000202, 0.0000377],
        room: [0.806, 0.000222, 0.00524],
        sameRoad: [0.0125, 0.0000606, 0.000038],
      },
      bankAccount: {
        different: [0.22, 1, 1],
        equal: [0.767, 7.45e-9, 0.000281],
        masked: [0.0134, 0.00000381, 0.0008],
      },
      brand: {
        different: [0.34, 0.999, 0.5],
        equal: [0.66, 0.000884, 0.5],
      },
      email: {
        different: [0.0683, 0.999, 0.999],
        equal: [0.932, 2.98e-8, 0.000714],
      },
      name: {
        different: [0.0105, 0.997, 0.962],
        equal: [0.772, 0.00025, 0.0251],
        lookAlike: [0.000413, 0.000024, 0.00000647],
        masked: [0.103, 0.00223, 0.00173],
        oneDiffers: [0.000059, 0.000229, 0.00011],
        sameSound: [0.0479, 0.0000103, 0.00892],
        spelled: [0.0662, 0.0000171, 0.00211],
      },
      phone: {
        different: [0.24, 1, 0.998],
        equal: [0.201, 5.96e-8, 0.000789],
        equalLater: [0.278, 2.38e-7, 0.000803],
        masked: [0.281, 0.000128, 0.000119],
      },
      region: {
        different: [0.00826, 0.963, 0.944],
        same: [0.63, 0.00197, 0.0103],
        sameCity: [0.0899, 0.00432, 0.00536],
        sameProvince: [0.000369, 0.0257, 0.0299],
        within: [0.271, 0.00471, 0.0102],
      },
      residentId: {
        different: [0.0000576, 1, 1],
        equal: [0.169, 9.31e-10, 0.004],
        masked: [0.815, 4.77e-7, 0.004],
        maskedWeakly: [0.0155, 0.00000894, 0.0000166],
      },
    },
  },
};
